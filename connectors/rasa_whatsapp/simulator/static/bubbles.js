// From a chat message of the control API to elements: the bubble, the marks on it, and what can be tapped below.

import { contactsElement, formReplyElement, locationElement, orderElement, productElement, productsElement } from "./cards.js";
import { carousel, choices } from "./choices.js";
import { button, drawing, element } from "./element.js";
import { marked } from "./markup.js";
import { mediaElement, mediaName } from "./media.js";

const TICKS = {
  accepted: ["M8 2v4l3 2M8 .8a5.2 5.2 0 1 1 0 10.4A5.2 5.2 0 1 1 8 .8"],
  sent: ["M4 6.5l3.2 3.2L14 2.5"],
  delivered: ["M1 6.5l3.2 3.2L11 2.5", "M7.5 9l.8.7L15 2.5"],
  read: ["M1 6.5l3.2 3.2L11 2.5", "M7.5 9l.8.7L15 2.5"],
  failed: ["M8 1v6.5M8 10.6v.2"],
};
const NO_MARKS = { reactions: [], text: null, deleted: false };
// Fields of a message that are more than words: how they look, and in a few words.
const PARTS = [
  ["media", mediaElement, mediaName],
  ["location", locationElement, (place) => place.name || "Location"],
  ["contacts", contactsElement, () => "Contact"],
  ["order", orderElement, () => "Order"],
  ["product", productElement, () => "Product"],
  ["products", productsElement, () => "Products"],
  ["flow_reply", formReplyElement, () => "Form"],
];
// Fields whose `text` only says in words what the part shows.
const SPEAKING = ["location", "contacts", "flow_reply"];

// `act` is called with what the person wants: {tap: id}, {open: list}, {raw: payload}, {menu: true}, {find: id} ...
// `marks` is what happened to the message since, `quoted` the message that it answers, if that is here.
export function messageElement(message, act, { marks = NO_MARKS, quoted = null } = {}) {
  if (message.system || message.call) return noteElement(message);
  const kinds = ["message", message.direction, message.template ? "template" : "", message.status, message.type === "sticker" ? "bare" : ""];
  const attributes = { class: kinds.filter(Boolean).join(" "), "data-id": message.id };
  if (marks.deleted) return element("li", attributes, goneElement(message, act));
  return element("li", attributes, bubble(message, act, marks, quoted), reactions(marks), carousel(message, act), choices(message, act));
}

export function dayElement(text) {
  return element("li", { class: "day" }, text);
}

export function typingElement() {
  const dots = element("div", { class: "bubble typing", "aria-hidden": "true" }, element("i"), element("i"), element("i"));
  return element("li", { class: "message out", "data-typing": "" }, dots, element("span", { class: "unseen" }, "The business is typing"));
}

// A message in a few words, for a quote or a menu.
export function summary(message, marks = NO_MARKS) {
  if (marks.deleted) return "Deleted message";
  const words = wordsOf(message, marks);
  const part = PARTS.find(([name]) => message[name]);
  return words || (part ? part[2](message[part[0]]) : message.text || message.type);
}

// What the body says now: the latest text, or what was sent with it.
export function wordsOf(message, marks = NO_MARKS) {
  if (marks.text !== null) return marks.text;
  return SPEAKING.some((name) => message[name]) ? "" : message.order ? message.order.text || "" : message.text;
}

function noteElement(message) {
  return element("li", { class: "day note", "data-id": message.id }, message.text);
}

function goneElement(message, act) {
  return element("div", { class: "bubble" }, element("div", { class: "notice" }, "You deleted this message"),
    element("div", { class: "meta" }, jsonButton(message, act), timeElement(message)));
}

function bubble(message, act, marks, quoted) {
  const words = wordsOf(message, marks);
  return element("div", { class: "bubble" },
    ...origin(message),
    message.quoting ? quote(message, quoted, act) : null,
    message.header ? element("div", { class: "head" }, message.header) : null,
    ...PARTS.filter(([name]) => message[name]).map(([name, draw]) => draw(message[name])),
    words ? element("div", { class: message.type === "unsupported" ? "notice" : "text" }, ...marked(words)) : null,
    message.footer ? element("div", { class: "foot" }, message.footer) : null,
    ...(message.status === "failed" ? (message.errors || []).map(errorElement) : []),
    meta(message, act, marks));
}

// Where a message comes from, above all else in its bubble.
function origin(message) {
  const { template, referral } = message;
  return [
    template ? label("label", "Template", `${template.name} · ${template.language} · ${template.category.toLowerCase()}`) : null,
    message.from_app ? label("label app", "From the app", "a human answered") : null,
    message.forwarded ? element("div", { class: "forwarded" }, "Forwarded") : null,
    referral ? element("div", { class: "forwarded" }, `From an ad: ${referral.headline || referral.source_id || "without a title"}`) : null,
  ];
}

function label(name, strong, text) {
  return element("div", { class: name }, element("strong", {}, strong), text);
}

function quote(message, quoted, act) {
  if (!quoted) return element("div", { class: "quote" }, element("span", {}, "A message that is not here"));
  const product = message.referred_product?.product_retailer_id;
  const words = product ? `Product ${product}` : summary(quoted);
  return element("button", { type: "button", class: "quote", "aria-label": `Answers: ${words}`, onclick: () => act({ find: quoted.id }) },
    element("strong", {}, quoted.direction === "in" ? "You" : "The business"), element("span", {}, words));
}

function errorElement(error) {
  const details = error.error_data?.details;
  return element("div", { class: "error" }, element("strong", {}, `Failed: ${error.code} ${error.title}. `),
    details && details !== error.title ? details : "");
}

function meta(message, act, marks) {
  const what = "React, reply and more";
  return element("div", { class: "meta" },
    jsonButton(message, act),
    button("⋯", () => act({ menu: true }), { class: "mini", title: what, "aria-label": `${what}: ${summary(message, marks).slice(0, 40)}`, "aria-haspopup": "dialog" }),
    element("span", { class: "edited" }, marks.text === null ? "" : "edited"),
    timeElement(message),
    drawing(TICKS[message.status] || [], { box: "0 0 16 12", name: `ticks ${message.status}`, label: message.status }));
}

function jsonButton(message, act) {
  return button("{ }", () => act({ raw: message.payload }), { class: "mini", "aria-label": "Show the message as JSON", title: "JSON" });
}

function timeElement(message) {
  const time = new Date(message.timestamp).toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" });
  return element("time", { datetime: message.timestamp }, time);
}

function reactions(marks) {
  if (!marks.reactions.length) return null;
  const spoken = marks.reactions.map(({ side, emoji }) => `${emoji} by ${side === "in" ? "you" : "the business"}`).join(", ");
  return element("span", { class: "reactions", role: "img", "aria-label": spoken }, marks.reactions.map(({ emoji }) => emoji).join(" "));
}
