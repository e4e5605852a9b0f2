// What the person at the phone sends: every message leaves here, with what is answered, the business number and marks.

import { call } from "./control.js";
import { element, button } from "./element.js";
import { at, attempt, state } from "./page.js";

const AD = {
  source_url: "https://example.com/ad", source_id: "120000000000001", source_type: "ad", headline: "Two mugs for one",
  body: "Only this week", media_type: "image", ctwa_clid: "ARSampleClickId",
};
const ANSWERS = new Set(["tap", "flow_reply"]);
// What the next message answers or changes: {reply: message} or {edit: message}, or nothing.
let intent = {};

export const path = (rest) => `customers/${state.selected}/${rest}`;

// Several business numbers: say which one is written to.
export const toNumber = () => (state.numbers.length > 1 ? { number_id: state.number } : {});

// Send one message of the control API; marks and quote are used up when it has been taken. What answers a tap knows
// its own message.
export function send(body) {
  return attempt(async () => {
    const own = ANSWERS.has(body.type) ? {} : marks();
    const sent = await call("POST", path("messages"), { ...own, ...body, ...toNumber() });
    clearIntent();
    at("forwarded").checked = at("from-ad").checked = false;
    return sent;
  });
}

// Send what stands in the composer: a new message, or the new text of one.
export async function sendText() {
  const text = at("text").value.trim();
  if (!text) return;
  const edited = intent.edit;
  const sent = edited
    ? await change({ type: "edit", message_id: edited.id, text })
    : await send({ type: "text", text });
  if (sent) setText("");
}

// Change what is there already: an edit, a deletion, a reaction. It quotes nothing.
export function change(body) {
  return attempt(async () => {
    const sent = await call("POST", path("messages"), { ...body, ...toNumber() });
    if (body.type === "edit") clearIntent();
    return sent;
  });
}

// What is typed goes along as a caption, as on a phone.
export async function sendMedia(body) {
  const caption = ["image", "video", "document"].includes(body.type) ? at("text").value.trim() : "";
  const sent = await send(caption ? { ...body, caption } : body);
  if (sent && caption) setText("");
}

export function reply(message) {
  setIntent({ reply: message }, "Replying to", message.text || message.type);
}

export function edit(message, text) {
  setIntent({ edit: message }, "Editing", text);
  setText(text);
}

export function clearIntent() {
  if (intent.edit) setText("");
  intent = {};
  at("intent").hidden = true;
}

export function fitText() {
  at("text").rows = Math.min(at("text").value.split("\n").length, 5);
}

function setIntent(wanted, doing, text) {
  clearIntent();
  intent = wanted;
  at("intent").replaceChildren(
    element("span", { class: "names" }, element("strong", {}, doing), element("span", { class: "quiet" }, text)),
    button("✕", clearIntent, { class: "mini", "aria-label": `Stop ${doing.toLowerCase()}` }));
  at("intent").hidden = false;
  at("text").focus();
}

function setText(text) {
  at("text").value = text;
  fitText();
}

// A forwarded message answers nothing.
function marks() {
  return {
    ...(intent.reply ? { quoting: intent.reply.id } : {}),
    ...(at("forwarded").checked && !intent.reply ? { forwarded: true } : {}),
    ...(at("from-ad").checked ? { referral: AD } : {}),
  };
}
