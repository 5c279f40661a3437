// Where on a page somebody was: going back, going forward and loading it again lead there, as soon as there is enough of
// the page. NiceGUI shows another page at its top, and the browser restores before there is anything. Loaded once per tab.

(() => {
  const KEPT = "reprieve.scroll";
  const MOST_KEPT = 100;
  const PATIENCE_MS = 20000; // for a page that is being filled; whoever scrolls ends it before
  const HOLD_MS = 1500; // what NiceGUI sends after the page may still scroll to its top, late where much else is done
  const positions = new Map(JSON.parse(sessionStorage.getItem(KEPT) ?? "[]"));
  const fresh = () => `${Date.now()}-${Math.random()}`;
  const push = history.pushState.bind(history);
  const replace = history.replaceState.bind(history);
  let entry = history.state?.entry ?? fresh();
  let leftAt = null; // where a link was followed: until the address changes, the other page may be there already
  let onTheWay = null; // to where the page is being led: whoever leaves it before is taken to have been there

  const here = () => onTheWay?.to ?? scrollY;

  function keep(y) {
    onTheWay = null;
    positions.delete(entry);
    positions.set(entry, y);
    sessionStorage.setItem(KEPT, JSON.stringify([...positions].slice(-MOST_KEPT)));
  }

  history.scrollRestoration = "manual";
  replace({ ...history.state, entry }, "");
  history.replaceState = (state, ...rest) => replace({ ...state, entry }, ...rest);
  history.pushState = (state, ...rest) => {
    keep(leftAt ?? here());
    leftAt = null;
    entry = fresh();
    push({ ...state, entry }, ...rest);
  };

  document.addEventListener(
    "click",
    (event) => {
      const link = event.target.closest?.('a[href^="/"]');
      leftAt = link && link.href !== location.href ? here() : null;
    },
    true,
  );
  window.addEventListener("pagehide", () => keep(here()));
  window.addEventListener("popstate", () => {
    keep(here()); // the entry that is left
    leftAt = null;
    entry = history.state?.entry ?? fresh();
    replace({ ...history.state, entry }, "");
    if (positions.has(entry)) lead(positions.get(entry));
  });
  const isNew = performance.getEntriesByType("navigation")[0]?.type === "navigate";
  if (!isNew && positions.has(entry)) lead(positions.get(entry));

  function isThere() {
    const current = document.querySelector(".navigation-link[aria-current]")?.getAttribute("href");
    return current && location.pathname.endsWith(current) && !document.querySelector("main .is-loading");
  }

  function lead(y) {
    const way = { to: y };
    const began = performance.now();
    let arrivedAt = null;
    const end = () => {
      if (onTheWay === way) onTheWay = null;
    };
    for (const kind of ["wheel", "touchstart", "pointerdown", "keydown"]) addEventListener(kind, end, { once: true, passive: true });
    onTheWay = way;
    requestAnimationFrame(function step(now) {
      if (onTheWay !== way) return;
      if (Math.abs(scrollY - y) > 1) scrollTo({ top: y, behavior: "instant" });
      if (isThere()) arrivedAt ??= now;
      if (arrivedAt === null ? now - began > PATIENCE_MS : now - arrivedAt > HOLD_MS) end();
      else requestAnimationFrame(step);
    });
  }
})();
