// The timeline's bars: details in a pop-up, a drag across one's own bar to request a cover, arrow keys between bars.
// Without JavaScript each bar is a link to the page of its shift.

const timeline = document.querySelector(".timeline");
const popup = document.getElementById("timeline-details");
const status = document.getElementById("timeline-status");
const secondsOf = (text) => Date.parse(text) / 1000;
// In seconds; one more than there are days.
const dayStarts = (timeline?.dataset.dayStarts ?? "").trim().split(" ").map(secondsOf);
const DRAG_PX = 5;
// A drag snaps to this part of a day, so that a step is wide enough to hit.
const DAY = 86_400;
const MIN_STEP_PX = 5;

const barsOf = (chart) =>
  [...chart.querySelectorAll("a[data-from]")].sort((a, b) => secondsOf(a.dataset.from) - secondsOf(b.dataset.from));

// Details

let opener = null;

const place = (bar) => {
  const at = bar.getBoundingClientRect();
  const size = popup.getBoundingClientRect();
  const below = at.bottom + 6 + size.height < window.innerHeight;
  popup.style.left = `${Math.max(8, Math.min(at.left, window.innerWidth - size.width - 8))}px`;
  popup.style.top = `${Math.max(8, below ? at.bottom + 6 : at.top - size.height - 6)}px`;
};

const openDetails = async (bar) => {
  const url = `${bar.closest("svg.timeline-chart").dataset.details}?at=${new Date(bar.dataset.from).toISOString()}`;
  try {
    const response = await fetch(url, { redirect: "error" });
    if (!response.ok) throw new Error(response.status);
    popup.innerHTML = await response.text();
  } catch {
    window.location.assign(bar.href.baseVal);
    return;
  }
  opener = bar;
  popup.showPopover();
  place(bar);
  popup.focus();
};

popup?.addEventListener("toggle", (event) => {
  if (event.newState === "closed" && opener) {
    // A click elsewhere has moved the focus already.
    if (document.activeElement === document.body || popup.contains(document.activeElement)) opener.focus();
    opener = null;
  }
});

// Drag

let drag = null; // {bar, chart, x, from, to, rect}: from and to in seconds

const timeAt = (chart, clientX) => {
  const box = chart.getBoundingClientRect();
  const first = dayStarts[0];
  const last = dayStarts[dayStarts.length - 1];
  const seconds = first + ((clientX - box.left) / box.width) * (last - first);
  const day = Math.max(
    0,
    dayStarts.findLastIndex((at) => at <= seconds),
  );
  const dayPx = (box.width * DAY) / (last - first);
  const steps = [24, 8, 4, 2, 1].find((count) => dayPx / count >= MIN_STEP_PX) ?? 1;
  const step = DAY / steps;
  return dayStarts[day] + Math.round((seconds - dayStarts[day]) / step) * step;
};

const clamp = (seconds, bar) => {
  const now = Math.ceil(Date.now() / 60_000) * 60;
  return Math.min(Math.max(seconds, secondsOf(bar.dataset.from), now), secondsOf(bar.dataset.to));
};

const describe = (seconds) =>
  new Date(seconds * 1000).toLocaleString("en-GB", {
    timeZone: timeline.dataset.zone,
    weekday: "short",
    day: "numeric",
    month: "short",
    hour: "2-digit",
    minute: "2-digit",
  });

const showSelection = () => {
  const { chart, bar, rect } = drag;
  const first = dayStarts[0];
  const whole = dayStarts[dayStarts.length - 1] - first;
  const [from, to] = [Math.min(drag.from, drag.to), Math.max(drag.from, drag.to)];
  const own = bar.querySelector("rect");
  rect.setAttribute("x", `${((from - first) / whole) * 100}%`);
  rect.setAttribute("width", `${((to - from) / whole) * 100}%`);
  rect.setAttribute("y", own.getAttribute("y"));
  rect.setAttribute("height", own.getAttribute("height"));
  if (!rect.isConnected) chart.append(rect);
  status.textContent = `${describe(from)} to ${describe(to)}`;
};

const endDrag = () => {
  if (!drag) return;
  drag.rect.remove();
  drag = null;
  status.textContent = "";
};

timeline?.addEventListener("pointerdown", (event) => {
  const bar = event.target.closest("a.mine");
  // A finger scrolls; it opens details with a tap.
  if (!bar || event.button !== 0 || event.pointerType === "touch" || event.ctrlKey || event.metaKey || event.shiftKey)
    return;
  const chart = bar.closest("svg.timeline-chart");
  const from = clamp(timeAt(chart, event.clientX), bar);
  const rect = document.createElementNS("http://www.w3.org/2000/svg", "rect");
  rect.classList.add("selection");
  drag = { bar, chart, rect, x: event.clientX, from, to: from, moved: false };
});

window.addEventListener("pointermove", (event) => {
  if (!drag) return;
  if (Math.abs(event.clientX - drag.x) > DRAG_PX) drag.moved = true;
  if (!drag.moved) return;
  drag.to = clamp(timeAt(drag.chart, event.clientX), drag.bar);
  showSelection();
});

let suppressClick = false;
window.addEventListener("pointerup", () => {
  if (!drag) return;
  const { chart, moved } = drag;
  const [from, to] = [Math.min(drag.from, drag.to), Math.max(drag.from, drag.to)];
  endDrag();
  if (!moved) return;
  suppressClick = true;
  setTimeout(() => {
    suppressClick = false;
  });
  if (to <= from) return;
  const query = new URLSearchParams({
    rotation: chart.dataset.rotation,
    from: new Date(from * 1000).toISOString(),
    to: new Date(to * 1000).toISOString(),
  });
  window.location.assign(`${timeline.dataset.request}?${query}`);
});
window.addEventListener("pointercancel", endDrag);
timeline?.addEventListener("dragstart", (event) => event.preventDefault());
window.addEventListener("pageshow", endDrag);

timeline?.addEventListener("click", (event) => {
  const bar = event.target.closest("a.shift, a.gap");
  if (!bar) return;
  if (suppressClick) {
    event.preventDefault();
    return;
  }
  if (event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return;
  // A gap leads straight to the form that fills it.
  if (bar.matches(".gap")) return;
  event.preventDefault();
  openDetails(bar);
});

// Keys: one Tab stop per rotation; arrows move in the order of time, Home and End to the ends, Enter opens.

for (const chart of timeline?.querySelectorAll("svg.timeline-chart") ?? []) {
  const bars = barsOf(chart);
  const now = Date.now() / 1000;
  const current = bars.find((bar) => secondsOf(bar.dataset.to) > now) ?? bars[0];
  for (const bar of bars) bar.setAttribute("tabindex", bar === current ? "0" : "-1");
  chart.addEventListener("keydown", (event) => {
    const index = bars.indexOf(event.target.closest("a"));
    if (event.key === "Escape") endDrag();
    const next = {
      ArrowRight: index + 1,
      ArrowDown: index + 1,
      ArrowLeft: index - 1,
      ArrowUp: index - 1,
      Home: 0,
      End: bars.length - 1,
    }[event.key];
    if (next === undefined || index < 0) return;
    event.preventDefault();
    const bar = bars[Math.max(0, Math.min(bars.length - 1, next))];
    bars[index].setAttribute("tabindex", "-1");
    bar.setAttribute("tabindex", "0");
    bar.focus();
  });
}
