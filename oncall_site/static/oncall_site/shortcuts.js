// Keyboard shortcuts, for who has not switched them off: the pages' keys stand on the navigation's own links.
"use strict";

(() => {
  const dialog = document.getElementById("shortcuts");
  if (!dialog) return;
  const WAIT = 1500; // milliseconds in which the second key follows a g
  const ROWS = "main :is(.data-table tbody tr, .week-list > li, .open-incidents > li, .duty > li, .hits > li)";
  let going = -Infinity; // when g was pressed

  const typing = (target) => target.closest("input, textarea, select, [contenteditable]") !== null;
  const seen = (element) => element.getClientRects().length > 0;

  const go = (key) => {
    const link = document.querySelector(`a[data-key="${CSS.escape(key)}"]`);
    if (link) window.location.assign(link.href);
    return link !== null;
  };

  const search = () => {
    const field = [...document.querySelectorAll("main input[type=search], #site-search")].reverse().find(seen);
    field?.focus();
    field?.select();
    return field !== undefined;
  };

  const step = (by) => {
    const links = [...document.querySelectorAll(ROWS)].filter(seen).map((row) => row.querySelector("a[href]")).filter(Boolean);
    const row = document.activeElement.closest(ROWS);
    const place = links.findIndex((link) => row?.contains(link));
    const next = place < 0 ? (by > 0 ? 0 : links.length - 1) : Math.max(0, Math.min(links.length - 1, place + by));
    links[next]?.focus();
    return links.length > 0;
  };

  const KEYS = { "/": search, j: () => step(1), k: () => step(-1) };

  document.addEventListener("keydown", (event) => {
    const { key, target } = event;
    if (event.defaultPrevented || event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return;
    if (key.length !== 1 || dialog.open || typing(target)) return;
    const follows = event.timeStamp - going < WAIT;
    going = -Infinity;
    let done = true;
    if (key === "?") dialog.showModal();
    else if (event.shiftKey) return;
    else if (follows) done = go(key);
    else if (key === "g") going = event.timeStamp;
    else done = KEYS[key]?.() ?? false;
    if (done) event.preventDefault();
  });
})();
