// What a tap on one of the business's messages does: an answer at once, or a sheet in which the answer is made.

import { listOf } from "./cards.js";
import { call } from "./control.js";
import { element } from "./element.js";
import { attempt } from "./page.js";
import { path, send, toNumber } from "./sending.js";
import { closeSheet, form, openSheet, option } from "./sheet.js";
import { LOCATION, ORDER } from "./samples.js";

const NEW_FIELDS = 2;

export function tap(message, id) {
  return send({ type: "tap", message_id: message.id, button: id });
}

export function openList(message, list) {
  openSheet(list.button, listOf(list.sections).flatMap((section) => [
    section.title ? element("h3", {}, section.title) : null,
    ...listOf(section.rows).map((row) => option(row.title, row.description, () => tap(message, row.id))),
  ]));
}

export function locate(message = null) {
  const quoting = message ? { quoting: message.id } : {};
  openSheet("Send a location", [
    option(LOCATION.name, LOCATION.address, () => send({ type: "location", ...LOCATION, ...quoting })),
    element("h3", {}, "Somewhere else"),
    form([
      { label: "Latitude", name: "latitude", type: "number", step: "any", min: -90, max: 90, value: 48.137154, required: true },
      { label: "Longitude", name: "longitude", type: "number", step: "any", min: -180, max: 180, value: 11.576124, required: true },
      { label: "Name of the place (may be empty)", name: "name", maxlength: 200 },
      { label: "Address (may be empty)", name: "address", maxlength: 300 },
    ], "Send location", ({ latitude, longitude, name, address }) => send({
      type: "location", latitude: Number(latitude), longitude: Number(longitude),
      ...(name ? { name } : {}), ...(address ? { address } : {}), ...quoting,
    })),
  ]);
}

// A flow's screens live at Meta, so the form asks for names and values; known data is filled in.
export function fill(message, { data, address = false }) {
  const known = Object.entries(data && typeof data === "object" ? data : {});
  const blank = address && !known.length ? [["name", ""], ["phone_number", ""], ["address", ""], ["city", ""], ["in_pin_code", ""]] : [];
  const rows = [...known, ...blank, ...Array(NEW_FIELDS).fill(["", ""])];
  const fields = element("div", { class: "pairs" }, ...rows.map(([name, value]) => pair(name, value)));
  openSheet(address ? "Address" : "Form", [element("form", { class: "fields", onsubmit: (event) => {
    event.preventDefault();
    const filled = pairsOf(event.target);
    closeSheet();
    send({ type: "flow_reply", message_id: message.id, data: address ? { values: filled } : filled });
  } },
  fields,
  element("button", { type: "button", class: "plain", onclick: () => fields.append(pair("", "")) }, "One more field"),
  element("button", { type: "submit" }, "Send form"))]);
}

// Items to put into an order; the simulator knows no prices, so they are asked for.
export function shop({ catalog_id: catalog, sections }) {
  const items = listOf(sections).flatMap((section) => listOf(section?.product_items)).map((item) => item?.product_retailer_id).filter(Boolean);
  const rows = items.length ? items : [ORDER.product_retailer_id];
  openSheet("Order", [element("form", { class: "fields", onsubmit: (event) => {
    event.preventDefault();
    const order = orderOf(rows, event.target, catalog);
    if (!order) return;
    closeSheet();
    send(order);
  } },
  ...rows.map((id, index) => itemRow(id, index, items.length > 0)),
  input("Currency", { name: "currency", value: ORDER.currency, pattern: "[A-Z]{3}", maxlength: 3, required: true }),
  input("Note to the business (may be empty)", { name: "text", maxlength: 1000 }),
  element("button", { type: "submit" }, "Send order"))]);
}

export function ask(message, product) {
  openSheet(`Ask about ${product.product_retailer_id}`, [form(
    [{ label: "Question", name: "text", value: "Do you have this in blue?", required: true }], "Send",
    ({ text }) => send({ type: "text", text, quoting: message.id, referred_product: product }),
  )]);
}

export function callBusiness() {
  const ring = (seconds) => attempt(() => call("POST", path("call"), { seconds, ...toNumber() }));
  openSheet("Call the business", [
    option("Nobody answers", "the bot gets connect and terminate", () => ring(0)),
    option("They speak for a minute", "the bot gets connect and terminate", () => ring(60)),
  ]);
}

function pair(name, value) {
  const plain = typeof value === "string";
  return element("div", { class: "pair" },
    element("input", { "aria-label": "Name of the field", name: "field", value: name, placeholder: "field" }),
    element("input", { "aria-label": "Value", name: "value", value: plain ? value : JSON.stringify(value), "data-json": !plain, placeholder: "value" }));
}

// A number that was filled in stays a number, unless it is overwritten with something else.
function pairsOf(target) {
  const pairs = [...target.querySelectorAll(".pair")].map((row) => {
    const [name, value] = row.querySelectorAll("input");
    return [name.value.trim(), "json" in value.dataset ? parsed(value.value) : value.value];
  });
  return Object.fromEntries(pairs.filter(([name]) => name));
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function itemRow(id, index, known) {
  return element("fieldset", {}, element("legend", {}, known ? id : "Item"),
    known ? null : input("Item number", { name: "id", value: id, required: true }),
    input("Quantity", { name: `quantity-${index}`, type: "number", min: 0, max: 999, value: index ? 0 : ORDER.quantity, required: true }),
    input("Price", { name: `price-${index}`, type: "number", min: 0, step: "0.01", value: ORDER.item_price, required: true }));
}

function orderOf(ids, target, catalog) {
  const given = new FormData(target);
  const items = ids.map((id, index) => ({
    product_retailer_id: given.get("id") || id, quantity: Number(given.get(`quantity-${index}`)),
    item_price: Number(given.get(`price-${index}`)), currency: given.get("currency"),
  })).filter((item) => item.quantity > 0);
  const text = given.get("text").trim();
  if (!items.length) return null;
  return { type: "order", catalog_id: catalog || ORDER.catalog_id, product_items: items, ...(text ? { text } : {}) };
}

function input(label, attributes) {
  return element("label", {}, element("span", {}, label), element("input", { autocomplete: "off", ...attributes }));
}
