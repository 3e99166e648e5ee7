// Edits the list of a roster without a request: drag a row by its grip, move it with its buttons, or add one with the empty select.

const list = document.querySelector("[data-roster]");
const template = document.getElementById("roster-place");
let dragged = null;

const renumber = () => {
  for (const [index, row] of list.querySelectorAll("li[draggable]").entries()) {
    row.querySelector("select").ariaLabel = `Place ${index + 1}`;
    for (const button of row.querySelectorAll("button")) {
      button.value = index;
      button.querySelector("span").textContent = ` Move place ${index + 1} ${button.name}`;
    }
  }
};

const [add, ...others] = list?.querySelectorAll("li:not([draggable])") ?? [];
for (const other of [...others, document.querySelector("[data-add]")]) other?.remove();
add?.addEventListener("change", ({ target }) => {
  const row = template.content.firstElementChild.cloneNode(true);
  const select = row.querySelector("select");
  select.append(target.selectedOptions[0].cloneNode(true));
  select.value = target.value;
  target.value = "";
  add.before(row);
  renumber();
});

list?.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  const row = button?.closest("li");
  const other = button?.name === "up" ? row?.previousElementSibling : row?.nextElementSibling;
  if (!button) return;
  event.preventDefault();
  if (!other?.draggable) return;
  if (button.name === "up") other.before(row);
  else other.after(row);
  renumber();
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
  renumber();
});
