// Forms on the API documentation that send calls as the signed-in user, with the session and its CSRF token.

const calls = JSON.parse(document.getElementById("calls").textContent);
const template = document.getElementById("try-form");
const HEADERS = ["Location", "ETag", "Retry-After", "Idempotency-Replayed", "X-Request-ID"];
const KEY = "Idempotency-Key";

// JSON as in RFC 8259, to say what is wrong with a text. Browsers word their errors differently, and not all name a line.
const SPACE = /[ \t\r\n]*/y;
const STRING = /"(?:[^"\\\r\n\t]|\\(?:["\\/bfnrt]|u[\da-fA-F]{4}))*"/y;
const SCALAR = new RegExp(`${STRING.source}|-?(?:0|[1-9]\\d*)(?:\\.\\d+)?(?:[eE][+-]?\\d+)?|true|false|null`, "y");
const NAME = "a name in double quotes";

class JsonReader {
  constructor(text) {
    this.text = text;
    this.at = 0;
  }

  // Moves past the pattern if it is next.
  skip(pattern) {
    SPACE.lastIndex = this.at;
    SPACE.exec(this.text);
    this.at = SPACE.lastIndex;
    pattern.lastIndex = this.at;
    if (!pattern.test(this.text)) return false;
    this.at = pattern.lastIndex;
    return true;
  }

  need(pattern, what) {
    if (!this.skip(pattern)) throw new SyntaxError(what);
  }

  members(end, member) {
    const close = new RegExp(`\\${end}`, "y");
    if (this.skip(close)) return;
    do member();
    while (this.skip(/,/y));
    this.need(close, `“,” or “${end}”`);
  }

  value() {
    if (this.skip(/\{/y)) {
      this.members("}", () => {
        this.need(STRING, NAME);
        this.need(/:/y, "“:” after the name");
        this.value();
      });
    } else if (this.skip(/\[/y)) this.members("]", () => this.value());
    else this.need(SCALAR, "a value");
  }

  // Returns what is wrong with the text, which is not JSON.
  problem() {
    try {
      this.value();
      this.need(/$/y, "the end of the text");
      return "The body is not valid JSON.";
    } catch (error) {
      if (!(error instanceof SyntaxError)) return "The body is not valid JSON: it is nested too deeply.";
      const line = this.text.slice(0, this.at).split("\n").length;
      const next = this.text.slice(this.at).split("\n")[0].trim().slice(0, 20);
      return `Line ${line}: expected ${error.message}, not ${next ? `“${next}”` : "the end of the text"}.`;
    }
  }
}

const indented = (text) => {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
};

const newKey = () =>
  Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");

const element = (name, text, attributes = {}) =>
  Object.assign(document.createElement(name), { textContent: text }, attributes);

class CallForm {
  constructor(id, button) {
    this.call = calls[id];
    this.form = template.content.firstElementChild.cloneNode(true);
    this.form.id = `try-${id}`;
    this.form.setAttribute("aria-label", `Try ${this.call.method} ${this.call.path}`);
    for (const part of this.form.querySelectorAll("[data-for]")) part.hidden = !this.isFor(part.dataset.for);
    for (const field of this.call.fields) this.addField(field);
    this.body = this.form.querySelector("textarea");
    this.name(this.body, "body");
    if ("body" in this.call) {
      this.body.value = JSON.stringify(this.call.body, null, 2);
      this.body.rows = Math.min(20, this.body.value.split("\n").length + 1);
    }
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.send();
    });
    // A key is for one request: after a success, a changed request needs a new one.
    this.form.addEventListener("input", ({ target }) => {
      this.show(target, "");
      if (this.isDone && target.name !== KEY) this.renewKey();
    });
    this.form.querySelector("[data-new-key]").addEventListener("click", () => this.renewKey());
    const submit = this.form.querySelector("[type=submit]");
    submit.textContent = this.call.changes ? "Send and change data" : "Send";
    submit.classList.add(this.call.method === "DELETE" ? "danger" : "primary");
    button.closest(".actions").after(this.form);
  }

  isFor(part) {
    const { method, changes } = this.call;
    return {
      body: "body" in this.call,
      key: method === "POST",
      change: changes,
      preview: !changes && method !== "GET",
    }[part];
  }

  focus() {
    [...this.form.elements].find((one) => one.checkVisibility()).focus();
  }

  // Gives a field, its label and its error the ids that connect them.
  name(input, name) {
    const field = input.closest(".field");
    input.name ||= name;
    input.id = `${this.form.id}-${name}`;
    field.querySelector("label").htmlFor = input.id;
    field.querySelector(".problem").id = `${input.id}-problem`;
    input.setAttribute("aria-describedby", `${input.id}-problem`);
  }

  addField({ name, type, help, required, in: place }) {
    const field = template.content.querySelector(".field").cloneNode(true);
    const input = document.createElement("input");
    Object.assign(input, { name, autocomplete: "off", spellcheck: false, required });
    const note = required ? ` ${type}` : ` ${type} (optional)`;
    field.querySelector("label").replaceChildren(element("code", name), element("span", note, { className: "muted" }));
    field.querySelector("textarea").replaceWith(input);
    if (help) field.append(element("div", help, { className: "help" }));
    this.form.querySelector(place === "header" ? "[data-headers]" : ".columns").append(field);
    this.name(input, name);
    if (name === KEY) input.value = newKey();
  }

  renewKey() {
    const input = this.form.elements[KEY];
    if (input) input.value = newKey();
    this.isDone = false;
  }

  // Shows what is wrong with a field, or nothing.
  show(input, problem) {
    const field = input.closest(".field");
    field?.classList.toggle("wrong", Boolean(problem));
    field?.querySelector(".problem").replaceChildren(...(problem ? [element("li", problem)] : []));
    if (problem) input.setAttribute("aria-invalid", "true");
    else input.removeAttribute("aria-invalid");
  }

  // Returns what is wrong with a field of the path, the query or the headers, or "".
  problem(input) {
    const value = input.value.trim();
    if (input.required && !value) return `Enter ${input.name}.`;
    const place = this.call.fields.find((field) => field.name === input.name)?.in;
    // With these, the URL would be that of another call.
    if (place === "path" && /^\.\.?$|\//.test(value)) return `“${value}” cannot be part of a path.`;
    if (place === "header" && /[^ -~]/.test(value)) return "Use only ASCII characters in a header.";
    return "";
  }

  // Returns true if every field can be sent; else moves to the first that cannot.
  check() {
    const wrong = [];
    for (const input of this.form.querySelectorAll("input, textarea")) {
      let problem = this.problem(input);
      if (input === this.body && "body" in this.call) {
        try {
          JSON.parse(input.value);
        } catch {
          const reader = new JsonReader(input.value);
          problem = reader.problem();
          input.setSelectionRange(reader.at, reader.at);
        }
      }
      this.show(input, problem);
      if (problem) wrong.push(input);
    }
    wrong[0]?.focus();
    return wrong.length === 0;
  }

  request() {
    let { path } = this.call;
    const { method, fields } = this.call;
    const query = new URLSearchParams();
    const headers = {};
    for (const { name, in: place } of fields) {
      const value = this.form.elements[name].value.trim();
      if (place === "path") path = path.replace(`{${name}}`, encodeURIComponent(value));
      else if (value && place === "query") query.set(name, value);
      else if (value) headers[name] = value;
    }
    if (method !== "GET") headers["X-CSRFToken"] = document.querySelector("[name=csrfmiddlewaretoken]").value;
    const options = { method, headers, redirect: "manual", cache: "no-store" };
    if ("body" in this.call) {
      headers["Content-Type"] = "application/json";
      options.body = this.body.value;
    }
    return [`${path}${query.size ? `?${query}` : ""}`, options];
  }

  async send() {
    if (this.isSending || !this.check()) return;
    this.isSending = true;
    const status = this.form.querySelector("[role=status]");
    status.textContent = "Sending…";
    const started = performance.now();
    try {
      const response = await fetch(...this.request());
      const text = await response.text();
      this.isDone = response.ok;
      const ms = Math.round(performance.now() - started);
      status.textContent = `${[response.status, response.statusText].join(" ").trim()} in ${ms} ms`;
      this.showAnswer(response, text);
    } catch {
      this.form.querySelector(".answer").hidden = true;
      const key = this.isFor("key") ? "With the same Idempotency-Key, you" : "You";
      status.textContent = `The site did not answer. ${key} can safely send the call again.`;
    } finally {
      this.isSending = false;
    }
  }

  showAnswer(response, text) {
    const headers = HEADERS.filter((name) => response.headers.has(name));
    const rows = headers.map((name) => {
      const row = document.createElement("div");
      row.append(element("dt", name), element("dd", response.headers.get(name), { className: "unbroken" }));
      return row;
    });
    this.form.querySelector(".answer").hidden = false;
    this.form.querySelector(".answer dl").replaceChildren(...rows);
    this.form.querySelector(".answer code").textContent = indented(text) || "No body.";
  }
}

for (const button of document.querySelectorAll("[data-try]")) {
  let opened = null;
  // The link opens a plain read without JavaScript.
  button.parentElement.querySelector("a")?.remove();
  button.hidden = false;
  button.setAttribute("aria-expanded", "false");
  button.addEventListener("click", () => {
    opened ??= new CallForm(button.dataset.try, button);
    const isOpen = button.getAttribute("aria-expanded") === "true";
    opened.form.hidden = isOpen;
    button.setAttribute("aria-expanded", String(!isOpen));
    if (!isOpen) opened.focus();
  });
}
