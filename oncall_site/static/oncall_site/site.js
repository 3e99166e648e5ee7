// On every page: menus that close, help of the selected option, the command palette, confirmation dialogs, buttons that copy.

const closeMenus = (event) => {
  for (const menu of document.querySelectorAll("details.site-menu[open]")) {
    const isEscape = event.type === "keydown" && event.key === "Escape";
    if (!isEscape && (event.type === "keydown" || menu.contains(event.target))) continue;
    if (isEscape && menu.contains(document.activeElement)) menu.querySelector("summary").focus();
    menu.open = false;
  }
};
for (const type of ["keydown", "pointerdown", "focusin"]) document.addEventListener(type, closeMenus);

// A field whose help depends on a select shows the help of the selected option.
for (const help of document.querySelectorAll("[data-select]")) {
  const select = help.closest("form")?.elements[help.dataset.select];
  if (!(select instanceof HTMLSelectElement)) continue;
  const show = () => {
    help.hidden = help.dataset.option !== select.value;
  };
  select.addEventListener("change", show);
  show();
}

// The command palette shows the search page's results. A dialog keeps the focus inside and gives it back when it closes.
const palette = document.getElementById("palette");
const TYPING_MS = 120;

const openPalette = () => {
  if (document.querySelector("dialog[open]")) return;
  palette.showModal();
  palette.querySelector("input").select();
};

const startPalette = () => {
  const field = palette.querySelector("input");
  const results = document.getElementById("palette-results");
  let timer = 0;
  let request = new AbortController();
  let shown = "";

  const load = async () => {
    request.abort();
    request = new AbortController();
    const words = field.value.trim();
    try {
      const query = new URLSearchParams({ q: words, palette: 1 });
      const response = await fetch(`${field.form.action}?${query}`, { signal: request.signal, redirect: "error" });
      if (!response.ok) throw new Error(response.status);
      results.innerHTML = await response.text();
      shown = words;
      const count = results.querySelectorAll(".hits a").length;
      document.getElementById("palette-status").textContent = words ? `${count} results` : "";
    } catch (error) {
      if (error.name !== "AbortError") results.textContent = "Search is not available. Press Enter to try again.";
    }
  };

  field.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(load, TYPING_MS);
  });
  field.form.addEventListener("submit", (event) => {
    const first = shown === field.value.trim() && results.querySelector(".hits a");
    if (!first) return;
    event.preventDefault();
    window.location.assign(first.href);
  });
  palette.addEventListener("keydown", (event) => {
    // A search field takes the first Escape to clear itself.
    if (event.key === "Escape") palette.close();
    if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
    event.preventDefault();
    const stops = [field, ...results.querySelectorAll("a")];
    const index = stops.indexOf(document.activeElement) + (event.key === "ArrowDown" ? 1 : -1);
    stops[(index + stops.length) % stops.length].focus();
  });
  // A click on the backdrop is a click on the dialog itself.
  palette.addEventListener("click", (event) => {
    if (event.target === palette) palette.close();
  });
  document.addEventListener("keydown", (event) => {
    if (event.key.toLowerCase() !== "k" || !(event.ctrlKey || event.metaKey) || event.shiftKey || event.altKey) return;
    event.preventDefault();
    openPalette();
  });
  document.getElementById("site-search").addEventListener("click", openPalette);
  document.addEventListener("palette", openPalette);
};
if (palette) startPalette();

// A form with data-confirm leads to a page that asks first. Here its question is shown in a dialog instead.
const askFirst = async (event) => {
  const form = event.target;
  if (!("confirm" in form.dataset)) return;
  event.preventDefault();
  const response = await fetch(`${form.action}?${new URLSearchParams(new FormData(form))}`, {
    redirect: "error",
  }).catch(() => null);
  if (!response?.ok) {
    form.submit();
    return;
  }
  const page = new DOMParser().parseFromString(await response.text(), "text/html");
  const dialog = document.createElement("dialog");
  dialog.className = "confirm-dialog";
  dialog.setAttribute("aria-labelledby", "confirm");
  dialog.append(page.querySelector(".confirm"));
  dialog.addEventListener("click", (click) => {
    if (click.target !== dialog && !click.target.closest("[data-cancel]")) return;
    click.preventDefault();
    dialog.close();
  });
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
};
document.addEventListener("submit", askFirst);

// Shows a message with an Undo button at the foot of the window until it is dismissed or can no longer be undone. The same for
// any message on a page that opens at one of its parts, because the top of the page is out of view.
const UNDO_MS = 10 * 60 * 1000;
const showToast = () => {
  const isAtPart = window.location.hash && document.getElementById(window.location.hash.slice(1));
  const toast = [...document.querySelectorAll(".messages .callout")].findLast(
    (message) => isAtPart || message.querySelector("form"),
  );
  if (!toast || toast.classList.contains("toast")) return;
  const dismiss = document.createElement("button");
  dismiss.type = "button";
  dismiss.className = "button small quiet";
  dismiss.textContent = "Dismiss";
  dismiss.addEventListener("click", () => toast.remove());
  toast.append(dismiss);
  toast.classList.add("toast");
  setTimeout(() => toast.remove(), UNDO_MS);
};
showToast();
document.addEventListener("fragment:swapped", showToast);

// Leaving a page asks first while a form with data-guard has changes that were not sent.
// What is typed while a request runs is not part of it.
let unsent = null;
let typedAt = 0;
document.addEventListener("input", (event) => {
  const { form } = event.target;
  if (!form?.matches("[data-guard]")) return;
  unsent = form;
  typedAt = performance.now();
});
document.addEventListener("submit", () => {
  unsent = null;
});
document.addEventListener("fragment:sent", (event) => {
  if (unsent?.contains(event.target) && event.detail.startedAt > typedAt) unsent = null;
});
window.addEventListener("beforeunload", (event) => {
  if (unsent?.isConnected) event.preventDefault();
});

// Copy buttons need clipboard access, so the page hides them by default.
for (const button of document.querySelectorAll("button[data-copy]")) {
  if (!navigator.clipboard) break;
  button.hidden = false;
  const label = button.innerHTML;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent.trim());
    button.textContent = "Copied";
    setTimeout(() => {
      button.innerHTML = label;
    }, 2000);
  });
}

// The filters of a schedule apply at once; their button is for browsers without JavaScript.
for (const filter of document.querySelectorAll(".timeline-filter")) {
  filter.querySelector("button").remove();
  filter.addEventListener("change", () => filter.requestSubmit());
}
