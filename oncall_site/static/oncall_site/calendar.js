// Select days of the month by dragging (mouse, touch or pen) or with Shift and the arrow keys.
// Without this script each day of an editable row is a link to the form for that day.
"use strict";

(() => {
  const table = document.querySelector("table.month");
  if (!table) return;
  const status = document.getElementById("chosen-days");
  const form = document.getElementById("block-form");
  let chosen = null; // {row, from, to}: positions of cells in the row, the first selected one first

  const cellsOf = (row) => [...row.querySelectorAll("td[data-day]")];

  const show = () => {
    table.querySelectorAll("td.chosen").forEach((cell) => cell.classList.remove("chosen"));
    if (!chosen) {
      status.textContent = "";
      return;
    }
    const days = span();
    days.forEach((cell) => cell.classList.add("chosen"));
    const first = days[0].dataset.label;
    const last = days[days.length - 1].dataset.label;
    status.textContent = first === last ? first : `${first} to ${last}, ${days.length} days`;
  };

  const span = () => {
    const cells = cellsOf(chosen.row);
    return cells.slice(Math.min(chosen.from, chosen.to), Math.max(chosen.from, chosen.to) + 1);
  };

  const open = () => {
    const days = span();
    const query = new URLSearchParams({ from: days[0].dataset.day, to: days[days.length - 1].dataset.day });
    if (chosen.row.dataset.engineer) query.set("engineer", chosen.row.dataset.engineer);
    window.location.assign(`${form.action}?${query}`);
  };

  const at = (event) => {
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
    const position = cellsOf(row).indexOf(cell);
    chosen = { row, from: position, to: position, dragging: true };
    table.setPointerCapture(event.pointerId);
    show();
  });

  table.addEventListener("pointermove", (event) => {
    if (!chosen?.dragging) return;
    scrollAtEdge(event);
    const cell = at(event);
    if (!cell || cell.parentElement !== chosen.row) return;
    chosen.to = cellsOf(chosen.row).indexOf(cell);
    show();
  });

  table.addEventListener("pointerup", () => {
    if (!chosen?.dragging) return;
    chosen.dragging = false;
    const link = chosen.from === chosen.to ? span()[0].querySelector("a") : null;
    if (link) window.location.assign(link.href);
    else open();
  });

  const clear = () => {
    chosen = null;
    show();
  };
  table.addEventListener("pointercancel", clear);
  // After the browser's Back button nothing is selected.
  window.addEventListener("pageshow", clear);

  // pointerup has already opened the selection; the click that follows must not open a single day as well.
  table.addEventListener("click", (event) => {
    if (event.target.closest("td[data-day]") && event.detail > 0 && !event.ctrlKey && !event.metaKey) event.preventDefault();
  });
  table.addEventListener("dragstart", (event) => event.preventDefault());

  // One Tab stop per row: arrow keys move between days, Shift extends the selection, Enter opens it, Escape clears it.
  table.querySelectorAll("tr.mine").forEach((row) => {
    const links = [...row.querySelectorAll("td[data-day] a")];
    const first = links.find((link) => link.closest("td").classList.contains("today")) ?? links[0];
    links.forEach((link) => (link.tabIndex = link === first ? 0 : -1));
  });

  const STEPS = { ArrowLeft: -1, ArrowRight: 1, Home: -31, End: 31 };
  table.addEventListener("keydown", (event) => {
    const cell = event.target.closest(".mine td[data-day]");
    if (!cell) return;
    if (event.key === "Escape") clear();
    else if (event.key === "Enter" && chosen) {
      event.preventDefault();
      open();
    } else if (event.key in STEPS) {
      event.preventDefault();
      const row = cell.parentElement;
      const cells = cellsOf(row);
      const position = cells.indexOf(cell);
      const next = Math.max(0, Math.min(cells.length - 1, position + STEPS[event.key]));
      if (event.shiftKey) chosen = { row, from: chosen?.row === row ? chosen.from : position, to: next };
      else chosen = null;
      event.target.tabIndex = -1;
      const link = cells[next].querySelector("a");
      link.tabIndex = 0;
      link.focus();
      show();
    }
  });
})();
