// Shows push messages, saves the offline copy, and shows it when there is no connection.

const CACHE = "offline";
const COPY = "/me/offline/";
const MAX_AGE_MS = 5 * 60_000;
const ICON = "/static/oncall_site/icon-192.png";
const NO_COPY = `<!DOCTYPE html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Offline</title><h1>You are offline</h1><p>No copy is saved on this device. Try again when you are online.</p></html>`;

// Saves the copy with its style and scripts; deletes it once the site no longer shows it, as after signing out.
const save = async (force) => {
  const old = await caches.match(COPY);
  if (!force && old && Date.now() - Date.parse(old.headers.get("Date")) < MAX_AGE_MS) return;
  const response = await fetch(COPY, { cache: "no-store", redirect: "manual" });
  if (response.type === "opaqueredirect") await caches.delete(CACHE);
  if (!response.ok) return;
  const html = await response.clone().text();
  const paths = new Set([...html.matchAll(/(?:href|src)="(\/static\/[^"]+)"/g)].map((match) => match[1]));
  const cache = await caches.open(CACHE);
  await cache.addAll([...paths]);
  await cache.put(COPY, response);
  for (const request of await cache.keys()) {
    const { pathname } = new URL(request.url);
    if (pathname !== COPY && !paths.has(pathname)) await cache.delete(request);
  }
};

const offlinePage = async () => {
  const copy = await caches.match(COPY);
  if (!copy) return new Response(NO_COPY, { status: 503, headers: { "Content-Type": "text/html" } });
  const html = (await copy.text()).replace("data-offline hidden", "data-offline");
  return new Response(html, { headers: copy.headers });
};

self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));
self.addEventListener("message", (event) => event.waitUntil(save(event.data === "refresh").catch(() => {})));

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const { origin, pathname } = new URL(request.url);
  if (request.method !== "GET" || origin !== self.location.origin) return;
  if (request.mode === "navigate") event.respondWith(fetch(request).catch(offlinePage));
  else if (pathname.startsWith("/static/"))
    event.respondWith(fetch(request).catch(async () => (await caches.match(request)) ?? Response.error()));
});

self.addEventListener("push", (event) => {
  const { title, text, link, tag, urgent } = event.data.json();
  const options = {
    body: text,
    data: link,
    tag,
    renotify: true,
    requireInteraction: urgent,
    icon: ICON,
    badge: ICON,
    actions: [{ action: "open", title: "Open" }],
  };
  // The copy then has what the message is about.
  event.waitUntil(Promise.all([self.registration.showNotification(title, options), save(true).catch(() => {})]));
});

// Opens the page. Acting there requires a sign-in.
self.addEventListener("notificationclick", (event) => {
  const { notification } = event;
  notification.close();
  const { pathname, search } = new URL(notification.data || "/", self.location.origin);
  // With the origin, because a path that starts with // would lead to another site.
  const url = self.location.origin + pathname + search;
  const open = async () => {
    const windows = await self.clients.matchAll({ type: "window" });
    const same = windows.find((client) => client.url === url);
    return same ? same.focus() : self.clients.openWindow(url);
  };
  event.waitUntil(open());
});
