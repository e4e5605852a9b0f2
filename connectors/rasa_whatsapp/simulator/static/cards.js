// Cards in the chat: a location, contacts, an order, products, a carousel, a form that was sent.

import { element, icon } from "./element.js";
import { marked } from "./markup.js";
import { mediaElement } from "./media.js";
import { initials } from "./words.js";

export function locationElement(place) {
  const point = `${place.latitude}, ${place.longitude}`;
  return element("div", { class: "place" },
    element("div", { class: "map", "aria-hidden": "true" }, icon("location")),
    place.name ? element("strong", {}, place.name) : null,
    place.address ? element("span", {}, place.address) : null,
    element("span", { class: "quiet" }, point));
}

export function contactsElement(contacts) {
  return element("ul", { class: "contacts" }, ...contacts.map((contact) => {
    const name = String(contact?.name?.formatted_name || "No name");
    const lines = [
      ...listOf(contact?.phones).map((phone) => phone?.phone || phone?.wa_id),
      ...listOf(contact?.emails).map((email) => email?.email),
      contact?.org?.company,
    ].filter(Boolean);
    return element("li", {}, element("span", { class: "avatar", "aria-hidden": "true" }, initials(name)),
      element("span", { class: "names" }, element("strong", {}, name), ...lines.map((line) => element("span", { class: "quiet" }, String(line)))));
  }));
}

export function orderElement(order) {
  const items = listOf(order.product_items);
  const count = items.reduce((sum, item) => sum + Number(item?.quantity || 0), 0);
  return element("div", { class: "rows" },
    element("div", { class: "file" }, icon("order"), element("strong", {}, `Order: ${count} item${count === 1 ? "" : "s"}`)),
    element("ul", {}, ...items.map((item) => element("li", {},
      `${item?.quantity} × ${item?.product_retailer_id}, ${item?.item_price} ${item?.currency}`))));
}

export function productElement({ product_retailer_id: id, catalog_id: catalog }) {
  return element("div", { class: "file" }, icon("order"), element("span", { class: "names" },
    element("span", {}, id ? `Product ${id}` : "Catalogue"), catalog ? element("span", { class: "quiet" }, `Catalogue ${catalog}`) : null));
}

export function productsElement({ sections, catalog_id: catalog }) {
  const count = listOf(sections).reduce((sum, section) => sum + listOf(section?.product_items).length, 0);
  return element("div", { class: "file" }, icon("order"), element("span", { class: "names" },
    element("span", {}, `${count} item${count === 1 ? "" : "s"}`), element("span", { class: "quiet" }, `Catalogue ${catalog}`)));
}

// The cards of a carousel; `choicesOf` makes what can be tapped on one.
export function carouselElement(cards, choicesOf) {
  return element("ul", { class: "carousel", tabindex: "0", "aria-label": `${cards.length} cards, scroll sideways` },
    ...cards.map((card) => element("li", { class: "bubble" },
      card.media ? mediaElement(card.media) : null,
      card.product ? productElement(card.product) : null,
      card.text ? element("div", { class: "text" }, ...marked(card.text)) : null,
      choicesOf(card))));
}

export function formReplyElement({ name, data }) {
  const filled = name === "flow" ? data : data?.values || data;
  const entries = Object.entries(filled || {}).filter(([field]) => field !== "flow_token");
  return element("div", { class: "rows" },
    element("div", { class: "file" }, icon("document"), element("strong", {}, name === "flow" ? "Form sent" : "Address sent")),
    element("dl", {}, ...entries.flatMap(([field, value]) => [
      element("dt", {}, field), element("dd", {}, typeof value === "string" ? value : JSON.stringify(value))])));
}

export function listOf(value) {
  return Array.isArray(value) ? value : [];
}
