// A select with `data-options` gets the options of the select with that ID when it is first used, so a page with hundreds of selects stays small.

const fill = ({ target }) => {
  const source = target instanceof HTMLSelectElement && document.getElementById(target.dataset.options);
  if (!source) return;
  const { value } = target;
  const listed = [...source.options].filter((option) => option.value);
  const own = [...target.options].filter((option) => !listed.some((other) => other.value === option.value));
  target.replaceChildren(...own, ...listed.map((option) => option.cloneNode(true)));
  target.value = value;
  delete target.dataset.options;
};
for (const event of ["pointerdown", "focusin"]) document.addEventListener(event, fill);
