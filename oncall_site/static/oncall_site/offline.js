// On every page: keeps the offline copy up to date, and sends what was marked and noted without a connection.

const QUEUE = "unsent-steps";
const STEP = /\/incidents\/(\d+)\/steps\/(\d+)\//;
// Later attempts may succeed: the server is busy, or the session has to be renewed.
const RETRYABLE = [401, 403, 408, 425, 429];
const { user } = document.body.dataset;
const isPossible = window.isSecureContext && "serviceWorker" in navigator && "caches" in window;

const read = () => JSON.parse(localStorage.getItem(QUEUE) ?? "[]");
const write = (rows) => localStorage.setItem(QUEUE, JSON.stringify(rows));
const mine = () => read().filter((row) => row.user === user);
const changes = (count) => (count === 1 ? "1 change" : `${count} changes`);

const show = (kind, ...texts) => {
  let box = document.getElementById("unsent");
  if (!box) {
    box = document.createElement("div");
    box.id = "unsent";
    box.setAttribute("role", "status");
    document.getElementById("main").prepend(box);
  }
  box.className = `callout ${kind}`;
  box.replaceChildren(...texts.map((text) => Object.assign(document.createElement("p"), { textContent: text })));
};

// Returns why the API refused a change.
const reason = async (response) => {
  const answer = await response.json().catch(() => ({}));
  return answer.detail ?? (Object.values(answer).flat().join(" ") || `status ${response.status}`);
};

let isSending = false;
const send = async () => {
  if (isSending || !user || mine().length === 0) return;
  isSending = true;
  const problems = [];
  let sent = 0;
  for (const { url, key, body, label } of mine()) {
    const headers = {
      "Content-Type": "application/json",
      "X-CSRFToken": document.querySelector("[name=csrfmiddlewaretoken]").value,
      "Idempotency-Key": key,
    };
    const response = await fetch(url, { method: "POST", headers, body }).catch(() => null);
    if (!response || response.status >= 500 || RETRYABLE.includes(response.status)) break;
    if (response.ok) sent += 1;
    else problems.push(`${label} was not saved. ${await reason(response)}`);
    write(read().filter((row) => row.key !== key));
  }
  isSending = false;
  const waiting = mine().length;
  const texts = [...problems];
  if (sent) texts.push(`${changes(sent)} to runbook steps sent.`);
  if (waiting) texts.push(`${changes(waiting)} saved on this device. Sent when you are online.`);
  show(problems.length ? "danger" : waiting ? "warn" : "ok", ...texts);
};

// Queues the notes and the mark of a checklist's form, each as a call of the API.
const queue = (data, path) => {
  const [, incident, number] = path.match(STEP);
  const steps = {};
  for (const [name, value] of data) {
    const position = name.match(/^note-(\d+)$/)?.[1];
    const shown = data.get(`shown-${position}`) ?? "";
    if (position && value !== shown) steps[position] = { note: value, note_shown: shown };
  }
  if (data.has("done")) steps[number] = { ...steps[number], done: data.get("done") === "1" };
  const rows = Object.entries(steps).map(([position, fields]) => ({
    user,
    key: crypto.randomUUID(),
    url: `/api/v1/incidents/${incident}/steps/`,
    label: `Step ${position} of incident ${incident}`,
    body: JSON.stringify({ position: Number(position), ...fields }),
  }));
  write([...read(), ...rows]);
  return send();
};

const clear = () => caches.delete("offline");

const start = () => {
  if (!user) return clear();
  navigator.serviceWorker.register("/service-worker.js");
  const isIncident = document.querySelector("#checklist") !== null;
  navigator.serviceWorker.ready.then(({ active }) => active.postMessage(isIncident ? "refresh" : "save"));
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.getAttribute("action") === "/sign-out/") {
      clear();
      localStorage.removeItem(QUEUE);
    } else if ("steps" in form.dataset) {
      event.preventDefault();
      queue(new FormData(form, event.submitter), form.getAttribute("action"));
      form.querySelector("output").textContent = "Saved on this device.";
    }
  });
  document.addEventListener("fragment:failed", ({ target, detail }) => {
    if (target.closest?.("#checklist")) queue(detail.data, detail.path);
  });
  window.addEventListener("online", send);
  return send();
};
if (isPossible) start();
