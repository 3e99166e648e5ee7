// Keeps the Now page up to date: fetches the changing parts every 15 seconds while the tab is visible.

const INTERVAL_MS = 15_000;
const TICK_MS = 5_000;
const TIMEOUT_MS = 10_000;

const container = document.getElementById("now");
const label = document.getElementById("updated");
const title = document.title.replace(/^\(\d+\) /, "");
let etag = container.dataset.etag;
let updatedAt = Date.now();
let problem = "";
let isLoading = false;

const showAge = () => {
  const seconds = Math.round((Date.now() - updatedAt) / TICK_MS) * (TICK_MS / 1000);
  const age = seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min`;
  label.textContent = `${problem} Updated ${seconds === 0 ? "just now" : `${age} ago`}`.trim();
};

// Returns a selector for the focused link or button, whose URL stays the same after an update.
const focusedIn = (part) => {
  const element = part.contains(document.activeElement) ? document.activeElement : null;
  const name = ["href", "formaction"].find((attribute) => element?.hasAttribute(attribute));
  return name && `[${name}="${CSS.escape(element.getAttribute(name))}"]`;
};

// Replaces the parts whose HTML has changed, and keeps the focus. Typed text is not in the HTML, so it is never a change.
const replaceParts = (html) => {
  const fragment = document.createElement("template");
  fragment.innerHTML = html;
  for (const part of fragment.content.querySelectorAll("[data-live]")) {
    const old = container.querySelector(`[data-live="${part.dataset.live}"]`);
    if (old.innerHTML === part.innerHTML) continue;
    const focused = focusedIn(old);
    old.replaceWith(part);
    if (focused) part.querySelector(focused)?.focus({ preventScroll: true });
    if (part.dataset.alerts) {
      const count = Number(part.dataset.alerts);
      document.title = count ? `(${count}) ${title}` : title;
    }
  }
};

const update = async () => {
  if (document.hidden || isLoading) return;
  isLoading = true;
  try {
    const response = await fetch(container.dataset.url, {
      headers: { "If-None-Match": etag },
      cache: "no-store",
      redirect: "manual",
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    if (response.status === 200) replaceParts(await response.text());
    if (response.status === 200 || response.status === 304) {
      etag = response.headers.get("ETag") ?? etag;
      updatedAt = Date.now();
      problem = "";
    } else {
      problem = response.type === "opaqueredirect" ? "You are signed out: reload the page." : "Not updating.";
    }
  } catch {
    problem = "Not updating.";
  } finally {
    isLoading = false;
    showAge();
  }
};

showAge();
setInterval(showAge, TICK_MS);
setInterval(update, INTERVAL_MS);
document.addEventListener("visibilitychange", () => {
  if (!document.hidden && Date.now() - updatedAt > TICK_MS) update();
});
