// On every page: keeps the offline copy up to date, and sends what was marked and noted without a connection.

const QUEUE = "unsent-steps";
// The user who turned on push in this browser.
const PUSH_USER = "push-user";
// The user whose offline copy is saved in this browser.
const COPY_USER = "copy-user";
// A browser that is slow to end push must not delay signing out.
const SIGN_OUT_MS = 3000;
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

const clear = () => {
  localStorage.removeItem(COPY_USER);
  return caches.delete("offline");
};

// Ends push in this browser and returns its endpoint. The push service does not notice a sign-out.
const endPush = async () => {
  const registration = await navigator.serviceWorker.getRegistration();
  const subscription = await registration?.pushManager?.getSubscription();
  localStorage.removeItem(PUSH_USER);
  await subscription?.unsubscribe();
  return subscription?.endpoint;
};

const signOut = async (form) => {
  clear();
  localStorage.removeItem(QUEUE);
  const late = new Promise((resolve) => setTimeout(resolve, SIGN_OUT_MS));
  const endpoint = await Promise.race([endPush().catch(() => {}), late]);
  if (endpoint)
    form.append(
      Object.assign(document.createElement("input"), { type: "hidden", name: "push_endpoint", value: endpoint }),
    );
  form.submit();
};

// Deletes the copy of another user who did not sign out, such as after an expired session. Returns true if a new copy is needed.
const replaceCopy = async () => {
  if (localStorage.getItem(COPY_USER) === user) return false;
  await clear();
  localStorage.setItem(COPY_USER, user);
  return true;
};

const start = () => {
  if (!user) return clear();
  navigator.serviceWorker.register("/service-worker.js");
  // Someone else has signed in without a sign-out in between.
  if ((localStorage.getItem(PUSH_USER) ?? user) !== user) endPush().catch(() => {});
  const isIncident = document.querySelector("#checklist") !== null;
  Promise.all([navigator.serviceWorker.ready, replaceCopy()]).then(([{ active }, isNew]) =>
    active.postMessage(isIncident || isNew ? "refresh" : "save"),
  );
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.getAttribute("action") === "/sign-out/") {
      event.preventDefault();
      signOut(form);
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
