// Keyboard shortcuts. Links carry the key that opens them after “g” in data-key.

const dialog = document.getElementById("shortcuts");
const SEQUENCE_MS = 1500;
const ROWS = "main :is(.data-table tbody tr, .open-incidents > li, .duty > li, .hits > li, .pipeline-list > li)";
let lastG = Number.NEGATIVE_INFINITY; // time stamp of the last “g”

const isTyping = (target) => target.closest("input, textarea, select, [contenteditable]") !== null;
const isVisible = (element) => element.getClientRects().length > 0;

const openPage = (key) => {
  const link = document.querySelector(`a[data-key="${CSS.escape(key)}"]`);
  if (link) window.location.assign(link.href);
  return link !== null;
};

const openPalette = () => document.dispatchEvent(new CustomEvent("palette"));

const moveFocus = (by) => {
  const links = [...document.querySelectorAll(ROWS)]
    .filter(isVisible)
    .map((row) => row.querySelector("a[href]"))
    .filter(Boolean);
  const row = document.activeElement.closest(ROWS);
  const index = links.findIndex((link) => row?.contains(link));
  const next = index < 0 ? (by > 0 ? 0 : links.length - 1) : Math.max(0, Math.min(links.length - 1, index + by));
  links[next]?.focus();
  return links.length > 0;
};

// Moves the focus to the button or first field of the part with this key in data-shortcut. Enter then presses it.
const focusPart = (key) => {
  const part = document.querySelector(`[data-shortcut="${CSS.escape(key)}"]`);
  const field = part?.matches("button") ? part : part?.querySelector("textarea, select, input:not([type=hidden])");
  field?.focus();
  return Boolean(field);
};

const KEYS = { "/": openPalette, j: () => moveFocus(1), k: () => moveFocus(-1) };

document.addEventListener("keydown", (event) => {
  const { key, target } = event;
  if (event.defaultPrevented || event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return;
  if (key.length !== 1 || document.querySelector("dialog[open]") || isTyping(target)) return;
  const isSecondKey = event.timeStamp - lastG < SEQUENCE_MS;
  lastG = Number.NEGATIVE_INFINITY;
  let handled = true;
  if (key === "?") dialog.showModal();
  else if (event.shiftKey) return;
  else if (isSecondKey) handled = openPage(key);
  else if (key === "g") lastG = event.timeStamp;
  else handled = KEYS[key]?.() ?? focusPart(key);
  if (handled) event.preventDefault();
});
