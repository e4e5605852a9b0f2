// The customers beside the phone: one button each, and the facts about the selected one.

import { element } from "./element.js";
import { initials, shownNumber } from "./words.js";

export function personElement(customer, { selected, unread, choose }) {
  return element("li", {}, element("button", {
    type: "button", class: "person", "data-customer": customer.wa_id, "aria-current": String(selected), onclick: choose,
  },
  element("span", { class: "avatar", "aria-hidden": "true" }, initials(customer.name)),
  element("span", { class: "names" }, element("span", {}, customer.name), element("span", { class: "quiet" }, shownNumber(customer))),
  unread ? element("span", { class: "badge", "aria-label": `${unread} new` }, String(unread)) : null));
}

export function factElements(customer) {
  const facts = [["Number", `+${customer.wa_id}${customer.hide_number ? " (hidden from the business)" : ""}`], ["User id", customer.user_id]];
  if (customer.username) facts.push(["User name", customer.username]);
  return facts.flatMap(([name, text]) => [element("dt", {}, name), element("dd", {}, text)]);
}
