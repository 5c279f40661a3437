// The browser's part of the pages: says whether the tab can be seen, keeps double clicks from acting twice, the focus and
// clicks from getting lost and drafts from being forgotten, and knows how far this clock is from the server's. Loaded once
// per tab, before NiceGUI's scripts run. Beside it: keys.js.

const reprieve = (() => {
  const CALM_MS = 350;
  let clockLead = Infinity; // this clock minus the server's, in ms; the least seen is the one with the least delay
  let lastPointerClick = -Infinity;

  function reportVisibility() {
    if (typeof emitEvent === "function") emitEvent("reprieve_visibility", document.visibilityState);
  }

  function followSocket() {
    if (!window.socket) return void setTimeout(followSocket, 50);
    window.socket.on("connect", () => {
      wasConnected = true;
      document.querySelector(".toasts.is-local .is-refused")?.parentElement.remove();
      reportVisibility(); // what was said while the line was cut is lost
    });
    wasConnected = window.socket.connected;
    if (document.visibilityState === "hidden") reportVisibility();
    reopenForms();
  }

  document.addEventListener("visibilitychange", reportVisibility);
  window.addEventListener("pagehide", (event) => {
    if (!event.persisted && typeof emitEvent === "function") emitEvent("reprieve_left"); // else somebody may come back to it
  });
  window.addEventListener("load", followSocket);

  // The first click of two may remove a row, so that the second would hit the button of the next one.
  document.addEventListener(
    "click",
    (event) => {
      if (event.detail === 0 || !event.target.closest("[data-once]")) return; // 0: made by the keyboard
      const isEcho = event.detail > 1 || event.timeStamp - lastPointerClick < CALM_MS;
      lastPointerClick = event.timeStamp;
      if (isEcho) {
        event.preventDefault();
        event.stopImmediatePropagation();
      }
    },
    true,
  );

  // Who has chosen a page from "More" has no more use for the list.
  document.addEventListener("click", (event) => event.target.closest(".navigation-further a")?.parentElement.hidePopover?.());

  // When the row that had the focus goes, the focus stays in its section: the keyboard and screen readers go on from there.
  let lastFocus = null;
  document.addEventListener("focusin", (event) => {
    if (!event.target.closest("main")) return;
    const row = event.target.closest("[data-row]")?.dataset.row;
    lastFocus = { element: event.target, section: event.target.closest(".section"), row, act: event.target.dataset.act };
  });
  window.addEventListener("load", () =>
    new MutationObserver(() => {
      lookForForms();
      if (document.activeElement !== document.body || !lastFocus || lastFocus.element.isConnected) return;
      const heading = lastFocus.section?.isConnected && lastFocus.section.querySelector("h2");
      const again = lastFocus.act && document.querySelector(`[data-row="${lastFocus.row}"] [data-act="${lastFocus.act}"]`);
      lastFocus = null;
      if (again) return again.focus({ preventScroll: true });
      if (!heading) return;
      heading.tabIndex = -1;
      heading.focus({ preventScroll: true });
    }).observe(document.body, { childList: true, subtree: true }),
  );

  // What was typed into a form stays until it has been done: it outlives a reload, which a restart of the server causes,
  // and closing the form, by whatever key or button. Kept in this tab only, by the form's name. The server opens a form
  // again that was open before a reload; one that was closed is filled in when it is opened again, and says so.
  const DRAFT = "reprieve.draft.";
  const named = (form) => DRAFT + form.dataset.draft;
  const inputs = (form) => [...form.querySelectorAll("input:not([type=radio]), textarea, select")];
  const options = (form) => [...form.querySelectorAll("[role=radio], [role=checkbox]")];
  const openForms = new Map(); // each with what it held when it was opened
  const finished = new WeakSet();

  function contentOf(form) {
    const values = inputs(form).map((input) => (input.dataset.unsaid === "true" ? null : input.value));
    return { values, chosen: options(form).map((option) => option.ariaChecked === "true") };
  }

  function keepDraft(event) {
    const form = event.target.closest("form[data-draft]");
    if (!form || finished.has(form)) return;
    if (!openForms.has(form)) openForms.set(form, null); // somebody was quicker than we
    const content = contentOf(form);
    if (JSON.stringify(content) === JSON.stringify(openForms.get(form))) sessionStorage.removeItem(named(form));
    else sessionStorage.setItem(named(form), JSON.stringify({ ...content, isOpen: true }));
  }

  function put(form, { values = [], chosen = [] }) {
    options(form).forEach((option, place) => {
      const isWanted = chosen[place] ?? option.ariaChecked === "true"; // a radio is let go of by choosing another
      if (isWanted !== (option.ariaChecked === "true") && (isWanted || option.role === "checkbox")) option.click();
    });
    inputs(form).forEach((input, place) => {
      const value = values[place];
      if (value === null && input.dataset.unsaid === "false") input.closest(".feeling").querySelector(".feeling-clear").click();
      if (value == null || (value === input.value && input.dataset.unsaid !== "true")) return;
      input.value = value;
      for (const event of ["input", "change"]) input.dispatchEvent(new Event(event, { bubbles: true }));
    });
  }

  // While the page is being built, its fields may be emptied once more after they were filled in.
  function putAgain(form) {
    const kept = sessionStorage.getItem(named(form));
    if (!kept || !form.isConnected || finished.has(form) || form.contains(document.activeElement)) return;
    // What it held when it was found may be what the browser itself had put back, before the page was built.
    if (contentOf(form).values.every((value) => !value)) put(form, JSON.parse(kept));
  }

  function lookForForms() {
    for (const form of document.querySelectorAll("form[data-draft]")) {
      if (openForms.has(form)) continue;
      openForms.set(form, contentOf(form));
      const kept = sessionStorage.getItem(named(form));
      if (!kept) continue;
      put(form, JSON.parse(kept));
      for (const wait of [300, 1000, 3000, 6000, 10000]) setTimeout(() => putAgain(form), wait);
      form.querySelector(".draft-note")?.removeAttribute("hidden");
    }
    for (const form of openForms.keys()) {
      if (form.isConnected) continue;
      openForms.delete(form);
      const kept = sessionStorage.getItem(named(form));
      if (!kept || form.classList.contains("jot")) continue;
      sessionStorage.setItem(named(form), JSON.stringify({ ...JSON.parse(kept), isOpen: false }));
      notice("What you filled in is kept. Open the form again to go on.");
    }
  }

  function reopenForms() {
    for (const key of Object.keys(sessionStorage)) {
      if (!key.startsWith(DRAFT) || !JSON.parse(sessionStorage.getItem(key)).isOpen) continue;
      const name = key.slice(DRAFT.length);
      if (!document.querySelector(`form[data-draft="${CSS.escape(name)}"]`)) emitEvent("reprieve_reopen", name);
    }
  }

  for (const kind of ["input", "change", "said", "click"]) document.addEventListener(kind, (event) => setTimeout(() => keepDraft(event)));
  // Radios and boxes show what was chosen, by whatever key, only when the server has heard of it.
  window.addEventListener("load", () =>
    new MutationObserver((changes) => changes.forEach(keepDraft)).observe(document.body, {
      attributeFilter: ["aria-checked"],
      subtree: true,
    }),
  );
  document.addEventListener("submit", (event) => {
    if (event.target.classList.contains("jot")) sessionStorage.removeItem(named(event.target));
  });
  document.addEventListener("click", (event) => {
    if (!event.target.closest("[data-start-over]")) return;
    const form = event.target.closest("form");
    put(form, openForms.get(form) ?? {});
    form.querySelector(".draft-note").setAttribute("hidden", "");
  });

  // While the line is cut, a click would be lost, or done minutes later: it is refused at once, in so many words.
  let wasConnected = false;
  function refuseWhileCut(event) {
    if (!wasConnected || window.socket.connected) return;
    const isLocal = event.type === "click" && !event.target.closest("button, [role=radio], [role=checkbox], nav a, a.button, a.tab");
    if (isLocal || event.target.closest("[data-start-over]")) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    notice("There is no connection, so this was not done. It comes back by itself; try again then.", "is-refused");
  }
  for (const kind of ["click", "submit"]) window.addEventListener(kind, refuseWhileCut, true);

  // A longer message than the server takes would be dropped, and half a character would cut the line.
  const MOST_IN_A_MESSAGE = 900_000;
  const lastTaken = new WeakMap();
  document.addEventListener("focusin", ({ target }) => lastTaken.set(target, target.value ?? ""), true);
  document.addEventListener(
    "input",
    (event) => {
      const field = event.target;
      if (typeof field.value !== "string") return;
      const whole = field.value.toWellFormed?.() ?? field.value;
      if (whole !== field.value) field.value = whole;
      if (whole.length < MOST_IN_A_MESSAGE / 6 || JSON.stringify(whole).length <= MOST_IN_A_MESSAGE) {
        lastTaken.set(field, whole);
        return;
      }
      event.stopImmediatePropagation();
      field.value = lastTaken.get(field) ?? "";
      notice(`This text is too long for a form: ${whole.length.toLocaleString("en")} characters. What was there before is back.`, "is-refused");
    },
    true,
  );

  function notice(sentence, look = "is-done") {
    document.querySelector(".toasts.is-local")?.remove();
    const place = document.body.appendChild(document.createElement("div"));
    place.className = "toasts is-local";
    const toast = place.appendChild(document.createElement("div"));
    toast.className = `toast ${look}`;
    toast.role = look === "is-refused" ? "alert" : "status";
    toast.appendChild(document.createElement("p")).textContent = sentence;
    toast.addEventListener("animationend", () => place.remove());
  }

  return {
    // Called when another page of rows is shown: it is read from its beginning.
    reveal(selector) {
      requestAnimationFrame(() => document.querySelector(selector)?.scrollIntoView({ block: "start" }));
    },
    // Called when a row was made or moved by the person who looks: they go on from there.
    focusRow(row) {
      requestAnimationFrame(() => {
        const buttons = document.querySelector(`main [data-row="${CSS.escape(row)}"] .entry-buttons`);
        (buttons?.querySelector(".is-primary") ?? buttons?.querySelector("button"))?.focus();
      });
    },
    // Called after another page was put into the frame: who listens to a screen reader learns where they are. Whoever was
    // quicker, and has gone to a field by its key, stays there.
    arrived() {
      requestAnimationFrame(() => {
        if (!document.activeElement?.matches("main :is(input, textarea, select)")) document.querySelector("main h1")?.focus({ preventScroll: true });
      });
    },
    // Called when a form was refused, or a row has moved: the next key press goes where it is expected.
    focus(selector) {
      requestAnimationFrame(() => document.querySelector(selector)?.focus());
    },
    // Called when what a form asked for was done, or when it cannot be opened again.
    forget(draft) {
      sessionStorage.removeItem(DRAFT + draft);
      for (const form of openForms.keys()) if (form.dataset.draft === draft) finished.add(form);
    },
    // The server's present, in ms since 1970. `now` is what the server said just before this arrived.
    heard(now) {
      clockLead = Math.min(clockLead, Date.now() - now);
    },
    now() {
      return Date.now() - (clockLead === Infinity ? 0 : clockLead);
    },
  };
})();
