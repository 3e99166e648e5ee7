// Runs the site's hx-… attributes: sends a form or a request in the background and replaces a part of the page with a part of
// the response. The subset of htmx that the templates use, with htmx's meaning; ADR 44 lists it.

const TRIGGER = /^(every|\S+)(?: (?:delay:)?([\d.]+)(ms|s))?/;
const SLOW_MS = 200;
const running = new WeakMap();

const attribute = (element, name) => element.closest(`[${name}]`)?.getAttribute(name);
const emit = (element, name, detail) =>
  (element.isConnected ? element : document).dispatchEvent(
    new CustomEvent(`fragment:${name}`, { bubbles: true, detail }),
  );

// Replaces an element unless the new one is the same; the focus stays in a field, with its selection, or on a button that is still there.
const replace = (old, fresh, inside) => {
  if (!inside && old.isEqualNode(fresh)) return;
  const focused = old.contains(document.activeElement) ? document.activeElement : null;
  const { selectionStart, selectionEnd } = focused ?? {};
  if (inside) old.replaceChildren(...fresh.childNodes);
  else old.replaceWith(fresh);
  start(inside ? old : fresh);
  if (!focused || focused.isConnected) return;
  const same = focused.id && document.getElementById(focused.id);
  if (!same) return;
  same.focus({ preventScroll: true });
  if (typeof selectionStart === "number") same.setSelectionRange(selectionStart, selectionEnd);
};

const fields = (element, submitter) => {
  const form = element.closest("form");
  const all = form ? [...new FormData(form, submitter)] : [];
  const names = element.getAttribute("hx-params")?.split(",");
  return new URLSearchParams(
    all.filter(([name, value]) => typeof value === "string" && (!names || names.includes(name))),
  );
};

const targetOf = (element) => {
  const selector = attribute(element, "hx-target");
  if (!selector) return element;
  return selector === "this" ? element.closest("[hx-target]") : document.querySelector(selector);
};

const swap = (element, html) => {
  const parsed = new DOMParser().parseFromString(html, "text/html");
  const target = targetOf(element);
  const select = element.getAttribute("hx-select");
  const inside = attribute(element, "hx-swap") !== "outerHTML";
  for (const other of element.getAttribute("hx-select-oob")?.split(",") ?? []) {
    const [old, fresh] = [document.querySelector(other), parsed.querySelector(other)];
    if (old && fresh) replace(old, fresh, false);
  }
  // Another page, such as the one that asks to sign in, has nothing to select and replaces nothing.
  const fresh = select ? parsed.querySelector(select) : inside ? parsed.body : parsed.body.firstElementChild;
  if (target && fresh) replace(target, fresh, inside);
};

// A request waits while the element's previous one runs; of several waiting requests, only the last is sent.
const send = async (element, submitter) => {
  if (running.has(element)) {
    running.set(element, () => send(element, submitter));
    return;
  }
  running.set(element, null);
  const path = element.getAttribute("hx-post") ?? element.getAttribute("hx-get");
  const isPost = element.hasAttribute("hx-post");
  const data = isPost ? fields(element, submitter) : undefined;
  const startedAt = performance.now();
  const options = { method: isPost ? "POST" : "GET", body: data, headers: { "HX-Request": "true" } };
  const target = targetOf(element);
  // Busy elements show a skeleton. Nobody waits for a poll.
  const slow = setTimeout(() => isPost && target?.setAttribute("aria-busy", "true"), SLOW_MS);
  const response = await fetch(path, options).catch(() => null);
  clearTimeout(slow);
  target?.removeAttribute("aria-busy");
  if (!response) emit(element, "failed", { data, path });
  else if (response.headers.get("HX-Refresh")) window.location.reload();
  else if (response.ok) {
    emit(element, "sent", { startedAt });
    swap(element, await response.text());
    emit(element, "swapped");
  }
  const next = running.get(element);
  running.delete(element);
  next?.();
};

const timers = new WeakMap();
const trigger = (element) => {
  const [, event, count, unit] = element.getAttribute("hx-trigger")?.match(TRIGGER) ?? [];
  return { event, ms: Number(count ?? 0) * (unit === "ms" ? 1 : 1000) };
};
const later = (element, ms) => {
  clearTimeout(timers.get(element));
  timers.set(
    element,
    setTimeout(() => element.isConnected && send(element), ms),
  );
};

// Starts requests that wait for no event: after loading, or repeatedly while the tab is visible.
const start = (root) => {
  for (const element of [root, ...root.querySelectorAll("[hx-trigger]")]) {
    if (!element.matches("[hx-trigger]")) continue;
    const { event, ms } = trigger(element);
    if (event === "load") later(element, ms);
    if (event !== "every") continue;
    const timer = setInterval(() => {
      if (!element.isConnected) clearInterval(timer);
      else if (!document.hidden) send(element);
    }, ms);
  }
};

for (const type of ["input", "change"]) {
  document.addEventListener(type, ({ target }) => {
    const element = target.closest("[hx-trigger]");
    if (!element) return;
    const { event, ms } = trigger(element);
    if (event === type) later(element, ms);
  });
}
document.addEventListener("click", (event) => {
  const button = event.target.closest("button[hx-post]");
  if (!button) return;
  event.preventDefault();
  send(button, button);
});
start(document.body);
