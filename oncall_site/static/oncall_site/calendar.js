// Selects several days, by dragging, by tapping the first and the last, or with Shift and the arrow keys, and opens the time off
// form for them. Without JavaScript each day is a link to the form for that day.

const table = document.querySelector("table.month");
const status = document.getElementById("chosen-days");
const form = document.getElementById("block-form");
let selection = null; // {row, from, to, dragging}: indexes of the first and the last selected cell

const cellsOf = (row) => [...row.querySelectorAll("td[data-day]")];

const render = () => {
  for (const cell of table.querySelectorAll("td.chosen")) cell.classList.remove("chosen");
  if (!selection) {
    status.textContent = "";
    return;
  }
  const days = selectedCells();
  for (const cell of days) cell.classList.add("chosen");
  const first = days[0].dataset.label;
  const last = days[days.length - 1].dataset.label;
  status.textContent = first === last ? first : `${first} to ${last}, ${days.length} days`;
};

const selectedCells = () => {
  const cells = cellsOf(selection.row);
  return cells.slice(Math.min(selection.from, selection.to), Math.max(selection.from, selection.to) + 1);
};

const openForm = () => {
  const days = selectedCells();
  const query = new URLSearchParams({ from: days[0].dataset.day, to: days[days.length - 1].dataset.day });
  if (selection.row.dataset.engineer) query.set("engineer", selection.row.dataset.engineer);
  window.location.assign(`${form.action}?${query}`);
};

const cellAt = (event) => {
  const cell = document.elementFromPoint(event.clientX, event.clientY)?.closest("td[data-day]");
  return cell && table.contains(cell) ? cell : null;
};

const scroller = table.parentElement;
const today = table.querySelector("thead .today");
// The names stay in view while the days scroll.
const names = table.querySelector("tbody th");
if (today) scroller.scrollLeft = today.offsetLeft - names.offsetWidth - 2 * today.offsetWidth;
const scrollAtEdge = (event) => {
  const edge = scroller.getBoundingClientRect();
  if (event.movementX > 0 && event.clientX > edge.right - 24) scroller.scrollLeft += 12;
  else if (event.movementX < 0 && event.clientX < edge.left + 24 + names.offsetWidth) scroller.scrollLeft -= 12;
};

// A finger scrolls. It selects by two taps (see "click"), or by a long press and a drag.
const LONG_PRESS_MS = 500;
const JITTER_PX = 8;
let press = { timer: 0, x: 0, y: 0 };

table.addEventListener("pointerdown", (event) => {
  const cell = event.target.closest("td[data-day]");
  if (!cell || event.button !== 0 || event.ctrlKey || event.metaKey) return;
  const row = cell.parentElement;
  const index = cellsOf(row).indexOf(cell);
  const begin = () => {
    selection = { row, from: index, to: index, dragging: true };
    render();
  };
  clearTimeout(press.timer);
  if (event.pointerType === "touch") {
    press = { timer: setTimeout(begin, LONG_PRESS_MS), x: event.clientX, y: event.clientY };
  } else {
    table.setPointerCapture(event.pointerId);
    begin();
  }
});
// Without this, the browser would scroll or open the link's menu.
table.addEventListener("touchmove", (event) => selection?.dragging && event.preventDefault(), { passive: false });
table.addEventListener("contextmenu", (event) => selection?.dragging && event.preventDefault());

table.addEventListener("pointermove", (event) => {
  if (Math.hypot(event.clientX - press.x, event.clientY - press.y) > JITTER_PX) clearTimeout(press.timer);
  if (!selection?.dragging) return;
  scrollAtEdge(event);
  const cell = cellAt(event);
  if (!cell || cell.parentElement !== selection.row) return;
  selection.to = cellsOf(selection.row).indexOf(cell);
  render();
});

table.addEventListener("pointerup", () => {
  clearTimeout(press.timer);
  if (!selection?.dragging) return;
  selection.dragging = false;
  const link = selection.from === selection.to ? selectedCells()[0].querySelector("a") : null;
  if (link) window.location.assign(link.href);
  else openForm();
});

const clear = () => {
  selection = null;
  render();
};
table.addEventListener("pointercancel", () => {
  clearTimeout(press.timer);
  if (selection?.dragging) clear();
});
// The browser's back button restores the page with its selection.
window.addEventListener("pageshow", clear);

// The first tap marks the first day, the second the last one, in either order; two taps on one day select it alone.
const tap = (cell) => {
  const row = cell.parentElement;
  const index = cellsOf(row).indexOf(cell);
  const link = cell.querySelector("a");
  if (selection?.row === row) {
    selection.to = index;
    openForm();
  } else if (cell.classList.contains("away") && link) {
    window.location.assign(link.href);
  } else {
    selection = { row, from: index, to: index, dragging: false };
    render();
    status.textContent += ". Now tap the last day.";
  }
};

// With a mouse, pointerup has opened the form already; the click that follows must not open the link.
table.addEventListener("click", (event) => {
  const cell = event.target.closest("td[data-day]");
  if (!cell || event.detail === 0 || event.ctrlKey || event.metaKey) return;
  event.preventDefault();
  if (event.pointerType === "touch") tap(cell);
});
table.addEventListener("dragstart", (event) => event.preventDefault());

// Roving tabindex: one Tab stop per row. Arrows move, Shift extends the selection, Enter opens it, Escape clears it.
// A day without a link is focused itself.
const stopOf = (cell) => cell.querySelector("a.day") ?? cell;
for (const row of table.querySelectorAll("tr:has(td[data-day])")) {
  const cells = cellsOf(row);
  const first = cells.find((cell) => cell.classList.contains("today")) ?? cells[0];
  for (const cell of cells) stopOf(cell).tabIndex = cell === first ? 0 : -1;
}

const STEPS = { ArrowLeft: -1, ArrowRight: 1, Home: -62, End: 62 };
table.addEventListener("keydown", (event) => {
  const cell = event.target.closest("td[data-day]");
  if (!cell) return;
  const row = cell.parentElement;
  const cells = cellsOf(row);
  const index = cells.indexOf(cell);
  if (event.key === "Escape") clear();
  else if (event.key === "Enter") {
    // A day's own link opens that day.
    if (!selection && event.target.closest("a")) return;
    event.preventDefault();
    selection ??= { row, from: index, to: index };
    openForm();
  } else if (event.key in STEPS) {
    event.preventDefault();
    const next = Math.max(0, Math.min(cells.length - 1, index + STEPS[event.key]));
    if (event.shiftKey) selection = { row, from: selection?.row === row ? selection.from : index, to: next };
    else selection = null;
    stopOf(cell).tabIndex = -1;
    stopOf(cells[next]).tabIndex = 0;
    stopOf(cells[next]).focus();
    render();
  }
});
