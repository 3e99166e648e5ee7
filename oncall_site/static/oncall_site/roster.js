// The list of a roster: drag a row by its grip, or move it with its buttons, without a request.

const list = document.querySelector("[data-roster]");
let dragged = null;

list?.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  const row = button?.closest("li");
  const other = button?.name === "up" ? row?.previousElementSibling : row?.nextElementSibling;
  if (!button) return;
  event.preventDefault();
  if (!other?.draggable) return;
  if (button.name === "up") other.before(row);
  else other.after(row);
  button.focus();
});
list?.addEventListener("dragstart", (event) => {
  dragged = event.target.closest("li");
  event.dataTransfer.effectAllowed = "move";
});
list?.addEventListener("dragover", (event) => {
  const row = event.target.closest("li[draggable]");
  if (!dragged || !row) return;
  event.preventDefault();
  const { top, height } = row.getBoundingClientRect();
  if (event.clientY < top + height / 2) row.before(dragged);
  else row.after(dragged);
});
list?.addEventListener("dragend", () => {
  dragged = null;
});
