// On the Notifications page: turns on push in this browser.

const button = document.getElementById("push-on");
const status = document.getElementById("push-status");
const { key: keyUrl, devices: devicesUrl } = button.dataset;

const post = async (url, data) => {
  const headers = {
    "Content-Type": "application/json",
    "X-CSRFToken": document.querySelector("[name=csrfmiddlewaretoken]").value,
  };
  const response = await fetch(url, { method: "POST", headers, body: JSON.stringify(data) });
  const answer = await response.json().catch(() => ({}));
  if (!response.ok) throw new Error(answer.detail ?? Object.values(answer).flat().join(" "));
  return answer;
};

// A browser has one subscription, for one key of the site.
const subscribe = async (key) => {
  const { pushManager } = await navigator.serviceWorker.ready;
  const options = { userVisibleOnly: true, applicationServerKey: key };
  try {
    return await pushManager.subscribe(options);
  } catch (error) {
    if (error.name !== "InvalidStateError") throw error;
    await (await pushManager.getSubscription())?.unsubscribe();
    return pushManager.subscribe(options);
  }
};

const turnOn = async () => {
  if ((await Notification.requestPermission()) !== "granted") {
    status.textContent =
      "Notifications are blocked for this site. Allow them in your browser’s settings, then try again.";
    return;
  }
  button.disabled = true;
  status.textContent = "Turning on push…";
  try {
    const { public_key: key } = await post(keyUrl, {});
    const { endpoint, keys } = (await subscribe(key)).toJSON();
    const device = await post(devicesUrl, { endpoint, keys });
    localStorage.setItem("push-user", document.body.dataset.user);
    await post(`${devicesUrl}${device.id}/test/`, {}).catch(() => {});
    window.location.assign(`${window.location.pathname}?on=${device.id}`);
  } catch (error) {
    status.textContent = `Push could not be turned on. ${error.message}`;
    button.disabled = false;
  }
};

if (window.isSecureContext && "serviceWorker" in navigator && "PushManager" in window && "Notification" in window) {
  button.hidden = false;
  button.addEventListener("click", turnOn);
} else {
  status.textContent =
    "This browser cannot receive push here. On an iPhone or iPad, add the site to your home screen first.";
}
