// Selects several days of the month, by dragging or with Shift and the arrow keys, and opens the time off form for them.
// Without JavaScript each day is a link to the form for that day.

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
if (today) scroller.scrollLeft = today.offsetLeft - table.querySelector("th").offsetWidth - 48;
const scrollAtEdge = (event) => {
  const edge = scroller.getBoundingClientRect();
  if (event.clientX > edge.right - 24) scroller.scrollLeft += 12;
  else if (event.clientX < edge.left + 24 + table.querySelector("th").offsetWidth) scroller.scrollLeft -= 12;
};

table.addEventListener("pointerdown", (event) => {
  const cell = event.target.closest("td[data-day]");
  if (!cell || event.button !== 0 || event.ctrlKey || event.metaKey) return;
  const row = cell.parentElement;
  const index = cellsOf(row).indexOf(cell);
  selection = { row, from: index, to: index, dragging: true };
  table.setPointerCapture(event.pointerId);
  render();
});

table.addEventListener("pointermove", (event) => {
  if (!selection?.dragging) return;
  scrollAtEdge(event);
  const cell = cellAt(event);
  if (!cell || cell.parentElement !== selection.row) return;
  selection.to = cellsOf(selection.row).indexOf(cell);
  render();
});

table.addEventListener("pointerup", () => {
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
table.addEventListener("pointercancel", clear);
// The browser's back button restores the page with its selection.
window.addEventListener("pageshow", clear);

// pointerup has opened the form already; the click that follows must not open the link.
table.addEventListener("click", (event) => {
  if (event.target.closest("td[data-day]") && event.detail > 0 && !event.ctrlKey && !event.metaKey)
    event.preventDefault();
});
table.addEventListener("dragstart", (event) => event.preventDefault());

// Roving tabindex: one Tab stop per row. Arrows move, Shift extends the selection, Enter opens it, Escape clears it.
for (const row of table.querySelectorAll("tr.mine")) {
  const links = [...row.querySelectorAll("td[data-day] a")];
  const first = links.find((link) => link.closest("td").classList.contains("today")) ?? links[0];
  for (const link of links) link.tabIndex = link === first ? 0 : -1;
}

const STEPS = { ArrowLeft: -1, ArrowRight: 1, Home: -31, End: 31 };
table.addEventListener("keydown", (event) => {
  const cell = event.target.closest(".mine td[data-day]");
  if (!cell) return;
  if (event.key === "Escape") clear();
  else if (event.key === "Enter" && selection) {
    event.preventDefault();
    openForm();
  } else if (event.key in STEPS) {
    event.preventDefault();
    const row = cell.parentElement;
    const cells = cellsOf(row);
    const index = cells.indexOf(cell);
    const next = Math.max(0, Math.min(cells.length - 1, index + STEPS[event.key]));
    if (event.shiftKey) selection = { row, from: selection?.row === row ? selection.from : index, to: next };
    else selection = null;
    event.target.tabIndex = -1;
    const link = cells[next].querySelector("a");
    link.tabIndex = 0;
    link.focus();
    render();
  }
});
