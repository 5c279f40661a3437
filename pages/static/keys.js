// Keys that press what is on the page. What a key presses says so itself, in `aria-keyshortcuts`: a button in a row while
// the focus is in that row, anything else from anywhere; "g d" is two keys, one after the other. The list for people is in
// pages/shortcuts.py. Only j and k, which move from row to row, are known here. Loaded once per tab, after page.js.

(() => {
  const OFF = "reprieve.keys-off";
  const NEXT_KEY_MS = 1500;
  const STEPS = { j: 1, k: -1 };
  let before = { key: "", at: -Infinity };

  const isSeen = (element) => element.getClientRects().length > 0;
  const hasDialog = () => document.querySelector('.q-dialog[aria-modal="true"]') !== null; // not one that is closed and fades
  const isTyping = (element) => element.closest?.("input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable]");

  function press(key) {
    const wanted = `[aria-keyshortcuts="${CSS.escape(key)}"]`;
    const inRow = document.activeElement?.closest("[data-row]")?.querySelector(wanted);
    const found = inRow ?? [...document.querySelectorAll(wanted)].filter((one) => !one.closest("[data-row]") && isSeen(one)).at(-1);
    if (found?.matches("input, textarea")) found.focus();
    else found?.click();
    return found;
  }

  function step(by) {
    const rows = [...document.querySelectorAll("main [data-row]")].filter(isSeen);
    const at = rows.indexOf(document.activeElement?.closest("[data-row]"));
    const next = rows[at < 0 ? (by > 0 ? 0 : rows.length - 1) : at + by];
    (next?.querySelector(".entry-buttons button") ?? next?.querySelector("button"))?.focus();
    next?.scrollIntoView({ block: "nearest" });
    return next;
  }

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || event.isComposing || event.repeat && !STEPS[event.key]) return;
    if (localStorage.getItem(OFF) || hasDialog()) return;
    if (isTyping(event.target) && !event.target.closest(".q-dialog")) return; // of a dialog that fades, nobody types any more
    const second = event.timeStamp - before.at < NEXT_KEY_MS && press(`${before.key} ${event.key}`);
    before = { key: event.key, at: event.key === "g" ? event.timeStamp : -Infinity };
    if (second || (STEPS[event.key] ? step(STEPS[event.key]) : press(event.key))) event.preventDefault();
  });

  // The switch in the list of keys: single keys are in the way of those who speak to their computer.
  document.addEventListener("change", (event) => {
    if (!event.target.matches("[data-keys]")) return;
    if (event.target.checked) localStorage.removeItem(OFF);
    else localStorage.setItem(OFF, "yes");
  });
  window.addEventListener("load", () =>
    new MutationObserver(() => {
      const box = document.querySelector("[data-keys]");
      if (box) box.checked = !localStorage.getItem(OFF);
    }).observe(document.body, { childList: true }),
  );
})();
