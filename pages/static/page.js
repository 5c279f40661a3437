// The browser's part of the pages: says whether the tab can be seen, keeps double clicks from acting twice, the focus from
// getting lost and drafts from being forgotten, and knows how far this clock is from the server's. Loaded once per tab,
// before NiceGUI's scripts run.

const reprieve = (() => {
  const CALM_MS = 350;
  let clockLead = Infinity; // this clock minus the server's, in ms; the least seen is the one with the least delay
  let lastPointerClick = -Infinity;

  function reportVisibility() {
    if (typeof emitEvent === "function") emitEvent("reprieve_visibility", document.visibilityState);
  }

  function followSocket() {
    if (!window.socket) return void setTimeout(followSocket, 50);
    window.socket.on("connect", reportVisibility); // what was said while the line was cut is lost
    if (document.visibilityState === "hidden") reportVisibility();
    reopenForms();
  }

  document.addEventListener("visibilitychange", reportVisibility);
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
    if (event.target.closest("main")) lastFocus = { element: event.target, section: event.target.closest(".section") };
  });
  window.addEventListener("load", () =>
    new MutationObserver(() => {
      lookForForms();
      if (document.activeElement !== document.body || !lastFocus || lastFocus.element.isConnected) return;
      const heading = lastFocus.section?.isConnected && lastFocus.section.querySelector("h2");
      lastFocus = null;
      if (!heading) return;
      heading.tabIndex = -1;
      heading.focus({ preventScroll: true });
    }).observe(document.body, { childList: true, subtree: true }),
  );

  // What was typed into a form outlives a reload, which a restart of the server causes: kept in this tab only, by the
  // form's name, until the form is gone or has been emptied. The server opens a form again when it is told its name.
  const DRAFT = "reprieve.draft.";
  const named = (form) => DRAFT + form.dataset.draft;
  const inputs = (form) => [...form.querySelectorAll("input:not([type=radio]), textarea")];
  const radios = (form) => [...form.querySelectorAll("[role=radio]")];
  const openForms = new Set();

  function keepDraft(event) {
    const form = event.target.closest("form[data-draft]");
    if (!form) return;
    const values = inputs(form).map((input) => (input.dataset.unsaid === "true" ? null : input.value));
    const chosen = radios(form).map((radio) => radio.ariaChecked === "true");
    if (values.some((value) => value)) sessionStorage.setItem(named(form), JSON.stringify({ values, chosen }));
    else sessionStorage.removeItem(named(form));
  }

  function fillIn(form) {
    const { values = [], chosen = [] } = JSON.parse(sessionStorage.getItem(named(form)) ?? "{}");
    radios(form).forEach((radio, place) => {
      if (chosen[place] && radio.ariaChecked !== "true") radio.click();
    });
    inputs(form).forEach((input, place) => {
      const value = values[place];
      if (value == null || value === input.value) return;
      input.value = value;
      for (const event of ["input", "change"]) input.dispatchEvent(new Event(event, { bubbles: true }));
    });
  }

  function lookForForms() {
    for (const form of document.querySelectorAll("form[data-draft]")) {
      if (openForms.has(form)) continue;
      openForms.add(form);
      fillIn(form);
    }
    for (const form of openForms) {
      if (form.isConnected) continue;
      openForms.delete(form);
      if (!form.classList.contains("jot")) sessionStorage.removeItem(named(form)); // closed, by whatever button
    }
  }

  function reopenForms() {
    for (const key of Object.keys(sessionStorage))
      if (key.startsWith(DRAFT) && !document.querySelector(`form[data-draft="${CSS.escape(key.slice(DRAFT.length))}"]`))
        emitEvent("reprieve_reopen", key.slice(DRAFT.length));
  }

  for (const kind of ["input", "change", "said", "click"]) document.addEventListener(kind, (event) => setTimeout(() => keepDraft(event)));
  document.addEventListener("submit", (event) => {
    if (event.target.classList.contains("jot")) sessionStorage.removeItem(named(event.target));
  });

  return {
    // Called after another page was put into the frame: who listens to a screen reader learns where they are.
    arrived() {
      requestAnimationFrame(() => document.querySelector("main h1")?.focus({ preventScroll: true }));
    },
    // Called when a form was refused, or a row has moved: the next key press goes where it is expected.
    focus(selector) {
      requestAnimationFrame(() => document.querySelector(selector)?.focus());
    },
    // Called when a form cannot be opened again.
    forget(draft) {
      sessionStorage.removeItem(DRAFT + draft);
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
