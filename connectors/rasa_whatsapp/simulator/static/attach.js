// The 📎 menu: everything a phone can attach, from a file or the microphone, and as a sample with one click.

import { locate, shop } from "./answers.js";
import { button, element, icon } from "./element.js";
import { attempt, toast } from "./page.js";
import { CONTACT, LOCATION, ORDER, encodedFile, photo, receipt, sticker, video, voiceNote } from "./samples.js";
import { send, sendMedia } from "./sending.js";
import { closeSheet, form, openSheet } from "./sheet.js";
import { canRecord, record } from "./voice.js";

// [icon, name, make and send a sample, other ways: [label, what it does]]
const OFFERS = [
  ["image", "Photo", () => sampled(photo), ["Choose", () => choose("image", "image/jpeg,image/png")]],
  ["video", "Video", () => sampled(video), ["Choose", () => choose("video", "video/mp4,video/3gpp")]],
  ["audio", "Voice note", () => sampled(voiceNote), ["Record", recordVoice]],
  ["document", "Document", () => sampled(receipt), ["Choose", () => choose("document", null)]],
  ["sticker", "Sticker", () => sampled(sticker), ["Choose", () => choose("sticker", "image/webp")]],
  ["location", "Location", () => send({ type: "location", ...LOCATION }), ["Own", () => locate()]],
  ["contact", "Contact", () => sendContact(CONTACT), ["Own", ownContact]],
  ["order", "Order", sampleOrder, ["Own", () => shop({ catalog_id: ORDER.catalog_id, sections: [] })]],
  ["poll", "Poll", () => send({ type: "unsupported", of: "poll_creation" }), null],
];

export function openAttachments() {
  openSheet("Attach", [
    element("p", { class: "quiet" }, "What is typed goes along as caption of a photo, video or document."),
    element("ul", { class: "offers" }, ...OFFERS.map(([drawn, name, sample, other]) => element("li", {},
      icon(drawn), element("span", {}, name),
      offer("Sample", `Send a sample: ${name}`, sample),
      other ? offer(other[0], `${other[0]}: ${name}`, other[1]) : null))),
  ]);
}

function offer(label, spoken, act) {
  return button(label, () => { closeSheet(); attempt(async () => act()); }, { class: "small", "aria-label": spoken });
}

async function sampled(make) {
  return sendMedia(await make());
}

function choose(type, accept) {
  const input = element("input", { type: "file", accept });
  input.addEventListener("change", () => attempt(async () => {
    const [file] = input.files;
    if (file) await sendMedia({ type, ...await encodedFile(file), ...(type === "document" ? { filename: file.name } : {}) });
  }));
  input.click();
}

async function recordVoice() {
  if (!canRecord()) {
    toast("This browser cannot record here: send the sample instead");
    return;
  }
  const recording = await record();
  const began = Date.now();
  const length = element("p", { id: "recorded" }, "0 s");
  const counting = setInterval(() => { length.textContent = `${Math.floor((Date.now() - began) / 1000)} s`; }, 200);
  let kept = false;
  const stop = async () => {
    const note = await recording.stop();
    await send({ type: "audio", ...await encodedFile(note), voice: true });
  };
  openSheet("Recording a voice note", [
    length,
    element("div", { class: "row" },
      button("Stop and send", () => { kept = true; closeSheet(); attempt(stop); }),
      button("Discard", closeSheet, { class: "danger" })),
  ], () => {
    clearInterval(counting);
    if (!kept) recording.discard();
  });
}

function sendContact({ name, phone }) {
  const [first, ...rest] = name.trim().split(/\s+/);
  const last = rest.join(" ");
  return send({ type: "contacts", contacts: [{
    name: { formatted_name: name.trim(), first_name: first, ...(last ? { last_name: last } : {}) },
    phones: [{ phone, wa_id: phone.replace(/\D/g, ""), type: "CELL" }],
  }] });
}

function ownContact() {
  openSheet("Send a contact", [form([
    { label: "Name", name: "name", value: CONTACT.name, required: true, maxlength: 100 },
    { label: "Phone number", name: "phone", type: "tel", value: CONTACT.phone, required: true, maxlength: 30 },
  ], "Send contact", sendContact)]);
}

function sampleOrder() {
  const { catalog_id: catalog, ...item } = ORDER;
  return send({ type: "order", catalog_id: catalog, product_items: [item] });
}
