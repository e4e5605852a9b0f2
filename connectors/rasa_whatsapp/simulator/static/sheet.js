// The sheet that slides over the phone's screen: lists, menus, forms. Not modal for the browser, because it belongs to
// the phone; what lies under it is inert until it closes.

import { element } from "./element.js";
import { at } from "./page.js";

const UNDER = ["top", "chat", "composer"];
let leaving = () => {};

// `left` is called when the sheet closes, however it does.
export function openSheet(title, content, left = () => {}) {
  if (at("sheet").open) leaving();
  leaving = left;
  at("sheet-title").textContent = title;
  at("sheet-body").replaceChildren(...content.filter(Boolean));
  for (const part of UNDER) at(part).inert = true;
  if (!at("sheet").open) at("sheet").show();
  (at("sheet-body").querySelector("input, textarea, button") || at("sheet-close")).focus();
}

export function closeSheet() {
  if (!at("sheet").open) return;
  for (const part of UNDER) at(part).inert = false;
  at("sheet").close();
  const after = leaving;
  leaving = () => {};
  after();
}

// A row of a menu: what it says, a quieter line, what it does.
export function option(text, line, act, attributes = {}) {
  return element("button", { type: "button", class: "option", ...attributes, onclick: () => { closeSheet(); act(); } },
    element("span", {}, text), line ? element("span", { class: "quiet" }, line) : null);
}

// A form: `fields` are {name, label, value?, ...attributes of the input}; `done` gets {name: text}.
export function form(fields, label, done) {
  return element("form", { class: "fields", onsubmit: (event) => {
    event.preventDefault();
    const given = Object.fromEntries(new FormData(event.target));
    closeSheet();
    done(given);
  } },
  ...fields.map(({ label: text, name, ...attributes }) => element("label", {}, element("span", {}, text),
    element("input", { name, autocomplete: "off", ...attributes }))),
  element("button", { type: "submit" }, label));
}

export function wireSheet() {
  at("sheet-close").addEventListener("click", closeSheet);
  at("sheet").addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    event.preventDefault();
    closeSheet();
  });
}
