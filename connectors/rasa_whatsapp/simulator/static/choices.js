// What can be tapped below one of the business's messages. A tap calls `act` with what is wanted; nothing is sent here.

import { carouselElement, listOf } from "./cards.js";
import { button, element } from "./element.js";
import { outside, webAddress } from "./links.js";

// What a button of a kind wants when it is tapped.
const WISHES = {
  address: (message) => ({ fill: { address: true, data: message.payload?.interactive?.action?.parameters?.values } }),
  call: () => ({ call: true }),
  call_permission: (_, made) => ({ tap: made.id }),
  catalog: (message) => ({ shop: message.products || { sections: [{ product_items: message.product ? [message.product] : [] }] } }),
  contact: (_, made) => ({ tap: made.id }),
  flow: (message) => ({ fill: { data: message.payload?.interactive?.action?.parameters?.flow_action_payload?.data } }),
  location: () => ({ locate: true }),
  product: (message) => ({ shop: message.products || { sections: [] } }),
  quick_reply: (_, made) => ({ tap: made.id }),
  reply: (_, made) => ({ tap: made.id }),
};

export function choices(message, act) {
  if (message.direction !== "out" || message.status === "failed") return null;
  const shown = listOf(message.buttons).flatMap((made) => (made.kind === "product" && message.product
    ? productChoices(message.product, act) : [choice(message, made, act)]));
  if (message.list) shown.push(button(`☰ ${message.list.button}`, () => act({ open: message.list }), { "aria-haspopup": "dialog" }));
  return shown.length ? element("div", { class: "choices" }, ...shown) : null;
}

// The cards lie below the bubble and scroll sideways.
export function carousel(message, act) {
  if (!message.carousel) return null;
  return carouselElement(message.carousel, (card) => {
    const shown = listOf(card.buttons).map((made) => choice(message, made, act));
    if (card.product) shown.push(...productChoices(card.product, act));
    return shown.length && message.status !== "failed" ? element("div", { class: "choices" }, ...shown) : null;
  });
}

function choice(message, made, act) {
  const wish = WISHES[made.kind];
  if (wish) return button(made.title, () => act(wish(message, made)));
  const url = webAddress(made.url);
  if (url) return outside(url, { class: "leading", title: url.href }, `${made.title} ↗`);
  return element("span", { class: "dead", title: made.url || "A tap sends no message" }, `${made.title} ↗`);
}

function productChoices(product, act) {
  const shop = { catalog_id: product.catalog_id, sections: [{ product_items: [product] }] };
  return [
    button("Order", () => act({ shop }), { "aria-haspopup": "dialog" }),
    button("Ask about it", () => act({ ask: product })),
  ];
}
