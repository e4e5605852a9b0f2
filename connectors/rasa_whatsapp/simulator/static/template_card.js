// One translation of a template: how the phone shows it, how it stands, and what an operator may decide.

import { button, element, icon } from "./element.js";
import { marked } from "./markup.js";
import { mediaName } from "./media.js";
import { dayName } from "./words.js";

const MOODS = { APPROVED: "good", PENDING: "wait", IN_APPEAL: "wait", PAUSED: "wait", REJECTED: "bad", DISABLED: "bad" };
const QUALITIES = ["GREEN", "YELLOW", "RED", "UNKNOWN"];
// Label, what `act` is called with, from which statuses, and how the button looks.
const ACTIONS = [
  ["Approve", { status: "APPROVED" }, (status) => !["APPROVED", "PAUSED", "DISABLED"].includes(status), {}],
  ["Reject …", { reject: true }, (status) => ["PENDING", "APPROVED", "IN_APPEAL"].includes(status), { class: "danger", "aria-haspopup": "dialog" }],
  ["Pause", { status: "PAUSED" }, (status) => status === "APPROVED", { class: "light" }],
  ["Unpause", { status: "APPROVED" }, (status) => status === "PAUSED", {}],
  ["Reinstate", { status: "APPROVED" }, (status) => status === "DISABLED", {}],
  ["Disable", { status: "DISABLED" }, (status) => ["APPROVED", "PAUSED"].includes(status), { class: "danger" }],
  ["Category …", { category: true }, () => true, { class: "light", "aria-haspopup": "dialog" }],
];

// "IN_APPEAL" as people say it.
export function said(word) {
  const words = word.replaceAll("_", " ").toLowerCase();
  return words.charAt(0).toUpperCase() + words.slice(1);
}

export function templateElement(template, act) {
  const title = `title-${template.id}`;
  return element("article", { class: "translation", "data-template": template.id, "aria-labelledby": title },
    element("div", { class: "row" },
      element("h3", { id: title }, template.language, element("span", { class: "unseen" }, ` of ${template.name}`)),
      element("span", { class: "pill", "data-mood": MOODS[template.status] || "none" }, said(template.status))),
    lookElement(template),
    element("dl", {}, ...facts(template).flatMap(([name, text]) => [element("dt", {}, name), element("dd", {}, text)])),
    actionsElement(template, act));
}

function lookElement({ language, preview }) {
  const { header, media, text, footer, buttons, carousel } = preview;
  const bubble = element("div", { class: "bubble" },
    placeElement(media),
    header ? element("div", { class: "head" }, header) : null,
    element("div", { class: "text" }, ...marked(text)),
    footer ? element("div", { class: "foot" }, footer) : null);
  return element("div", { class: "look", lang: language.replace("_", "-") },
    element("div", { class: "message out" }, bubble, cardsElement(carousel || []), choicesElement(buttons)));
}

function cardsElement(cards) {
  if (!cards.length) return null;
  return element("ul", { class: "carousel", tabindex: "0", "aria-label": `${cards.length} cards, scroll sideways` },
    ...cards.map((card) => element("li", { class: "bubble" },
      placeElement(card.media),
      card.text ? element("div", { class: "text" }, ...marked(card.text)) : null,
      choicesElement(card.buttons))));
}

function choicesElement(buttons) {
  return buttons.length ? element("div", { class: "choices" }, ...buttons.map((made) => element("span", {}, made.title))) : null;
}

function placeElement(media) {
  return media ? element("div", { class: "file" }, icon(media.kind), placeOf(media)) : null;
}

function placeOf(media) {
  return media.kind === "location" ? "Location, sent with each message" : `${mediaName(media)}, sent with each message`;
}

function facts(template) {
  const { rejected_reason: reason, pauses } = template;
  return [
    ["Category", said(template.category) + (template.previous_category ? `, was ${said(template.previous_category).toLowerCase()}` : "")],
    reason !== "NONE" ? ["Rejected for", said(reason)] : null,
    template.review_at ? ["In review until", moment(template.review_at)] : null,
    template.paused_until ? ["Paused until", moment(template.paused_until)] : null,
    pauses ? ["Pauses", `${pauses}; instead of the third it is disabled`] : null,
    template.category_at ? ["Announced", `${said(template.correct_category)} from ${moment(template.category_at)} on`] : null,
  ].filter(Boolean);
}

function moment(iso) {
  const at = new Date(iso);
  return `${dayName(at)}, ${at.toLocaleTimeString("en-GB")}`;
}

function actionsElement(template, act) {
  const offered = ACTIONS.filter(([, , isFor]) => isFor(template.status)).map(([label, wish, , looks]) => button(label, () => act(template, wish), {
    ...looks, "data-action": label, "aria-label": `${label.replace(" …", "")}: ${template.name} in ${template.language}`,
  }));
  const choice = element("select", { "data-action": "quality", onchange: (event) => act(template, { quality: event.target.value }) },
    ...QUALITIES.map((quality) => element("option", { value: quality, selected: quality === template.quality_score.score }, said(quality))));
  return element("div", { class: "row actions" }, ...offered, element("label", {}, "Quality", choice));
}
