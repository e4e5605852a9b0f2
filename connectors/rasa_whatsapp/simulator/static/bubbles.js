// From a chat message of the control API to elements. Text enters by textContent only: nothing that a customer or a
// bot writes is ever parsed as HTML.

const SVG = "http://www.w3.org/2000/svg";
const TICKS = {
  accepted: ["M8 2v4l3 2M8 .8a5.2 5.2 0 1 1 0 10.4A5.2 5.2 0 1 1 8 .8"],
  sent: ["M4 6.5l3.2 3.2L14 2.5"],
  delivered: ["M1 6.5l3.2 3.2L11 2.5", "M7.5 9l.8.7L15 2.5"],
  read: ["M1 6.5l3.2 3.2L11 2.5", "M7.5 9l.8.7L15 2.5"],
  failed: ["M8 1v6.5M8 10.6v.2"],
};
const MARKUP = /(?<![\w*_~`])(```[\s\S]+?```|`[^`\n]+`|\*[^*\n]+\*|_[^_\n]+_|~[^~\n]+~)(?![\w*_~`])/g;
const TAGS = { "*": "strong", "_": "em", "~": "del", "`": "code" };
const TAPPABLE = new Set(["reply", "quick_reply"]);

export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (value !== null && value !== undefined) made.setAttribute(name, value);
  }
  made.append(...children.filter((child) => child !== null));
  return made;
}

// Call `act` with what the user wants: {tap: id}, {open: list}, {raw: payload}.
export function messageElement(message, act) {
  const kinds = ["message", message.direction, message.template ? "template" : "", message.status];
  return element("li", { class: kinds.filter(Boolean).join(" "), "data-id": message.id }, bubble(message, act), choices(message, act));
}

export function dayElement(text) {
  return element("li", { class: "day" }, text);
}

export function typingElement() {
  const dots = element("div", { class: "bubble typing", "aria-hidden": "true" }, element("i"), element("i"), element("i"));
  return element("li", { class: "message out", "data-typing": "" }, dots, element("span", { class: "unseen" }, "The business is typing"));
}

function bubble(message, act) {
  return element("div", { class: "bubble" },
    message.template ? templateLabel(message.template) : null,
    message.header ? element("div", { class: "head" }, message.header) : null,
    message.text ? element("div", { class: "text" }, ...marked(message.text)) : null,
    message.footer ? element("div", { class: "foot" }, message.footer) : null,
    ...(message.status === "failed" ? (message.errors || []).map(errorElement) : []),
    meta(message, act));
}

function templateLabel(template) {
  return element("div", { class: "label" }, element("strong", {}, "Template"),
    `${template.name} · ${template.language} · ${template.category.toLowerCase()}`);
}

function errorElement(error) {
  const details = error.error_data?.details;
  return element("div", { class: "error" }, element("strong", {}, `Failed: ${error.code} ${error.title}. `),
    details && details !== error.title ? details : "");
}

function meta(message, act) {
  const time = new Date(message.timestamp).toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" });
  const raw = element("button", { type: "button", class: "json", "aria-label": "Show the message as JSON", title: "JSON",
    onclick: () => act({ raw: message.payload }) }, "{ }");
  return element("div", { class: "meta" }, raw, element("time", { datetime: message.timestamp }, time), ticks(message.status));
}

function ticks(status) {
  const drawing = document.createElementNS(SVG, "svg");
  drawing.setAttribute("viewBox", "0 0 16 12");
  drawing.setAttribute("class", `ticks ${status}`);
  drawing.setAttribute("role", "img");
  drawing.setAttribute("aria-label", status);
  const title = document.createElementNS(SVG, "title");
  title.textContent = status;
  drawing.append(title);
  for (const line of TICKS[status] || []) {
    const path = document.createElementNS(SVG, "path");
    path.setAttribute("d", line);
    drawing.append(path);
  }
  return drawing;
}

function choices(message, act) {
  if (message.direction !== "out" || message.status === "failed") return null;
  const shown = (message.buttons || []).map((button) => choice(button, act));
  if (message.list) {
    shown.push(element("button", { type: "button", "aria-haspopup": "dialog", onclick: () => act({ open: message.list }) }, `☰ ${message.list.button}`));
  }
  return shown.length ? element("div", { class: "choices" }, ...shown) : null;
}

function choice(button, act) {
  if (TAPPABLE.has(button.kind)) {
    return element("button", { type: "button", onclick: () => act({ tap: button.id }) }, button.title);
  }
  return element("span", { class: "dead", title: button.url || "A tap sends no message" }, `${button.title} ↗`);
}

// WhatsApp's own markup: *bold*, _italic_, ~strike~, `code`.
function marked(text) {
  const parts = [];
  let from = 0;
  for (const match of text.matchAll(MARKUP)) {
    const fence = match[0].startsWith("```") ? 3 : 1;
    parts.push(text.slice(from, match.index), element(TAGS[match[0][0]], {}, match[0].slice(fence, -fence)));
    from = match.index + match[0].length;
  }
  return [...parts, text.slice(from)];
}
