// The phone page: one customer's chat with one business number, live.

import { ask, callBusiness, fill, locate, openList, shop, tap } from "./answers.js";
import { openAttachments } from "./attach.js";
import { addMessage, changeStatus, findMessage, hideTyping, renderChat, showTyping, wireChat } from "./chat.js";
import { call, listen } from "./control.js";
import { element } from "./element.js";
import { openMenu } from "./menu.js";
import { renderCustomer, tick, wireOperator } from "./operator.js";
import { at, attempt, lamp, state } from "./page.js";
import { personElement } from "./people.js";
import { clearIntent, fitText, sendText, toNumber } from "./sending.js";
import { closeSheet, wireSheet } from "./sheet.js";
import { initials } from "./words.js";

const FIRST_CUSTOMER = { wa_id: "4915112345678", name: "Lea" };
const REMEMBERED = "rasa-whatsapp-simulator-customer";

// ---- loading

async function start() {
  const business = await call("GET", "settings");
  at("business-name").textContent = business.verified_name;
  at("business-initials").textContent = initials(business.verified_name);
  showNumbers(business);
  const { deliveries } = await call("GET", "deliveries?limit=1");
  if (deliveries.length) showBot(deliveries[0]);
  await loadCustomers(localStorage.getItem(REMEMBERED));
}

async function loadCustomers(wanted) {
  let { customers } = await call("GET", "customers");
  if (!customers.length) customers = [await call("POST", "customers", FIRST_CUSTOMER)];
  state.customers = customers;
  const found = customers.find((customer) => customer.wa_id === wanted) || customers[0];
  select(found.wa_id);
}

function select(waId, number = state.number) {
  if (waId !== state.selected || number !== state.number) {
    closeSheet();
    clearIntent();
  }
  Object.assign(state, { selected: waId, number });
  state.unread.delete(unreadKey(waId, number));
  localStorage.setItem(REMEMBERED, waId);
  hideTyping();
  renderCustomers();
  watch();
}

// What happens while the chat is on its way is kept, and applied to what arrives.
async function loadChat() {
  const { selected: waId, number } = state;
  const waiting = state.waiting = [];
  const chat = await call("GET", `customers/${waId}/chat?${new URLSearchParams(toNumber())}`).catch((error) => {
    if (waiting === state.waiting) state.waiting = null;
    throw error;
  });
  if (waId !== state.selected || number !== state.number || waiting !== state.waiting) return;
  state.waiting = null;
  state.messages = chat.messages;
  keepCustomer(chat.customer);
  renderChat();
  waiting.forEach((apply) => apply());
}

// The stream says which chat is on screen, so that the simulator can report it as read.
function watch() {
  state.stream?.close();
  state.stream = listen(document.hidden ? null : { open: state.selected, ...toNumber() }, {
    names: Object.keys(HANDLERS),
    heard: (name, data) => {
      if (state.waiting && data.wa_id === state.selected) state.waiting.push(() => HANDLERS[name](data));
      else HANDLERS[name](data);
    },
    opened: (wasBroken) => {
      lamp("page-state", "good", "Live");
      attempt(wasBroken ? () => loadCustomers(state.selected) : loadChat);
    },
    lost: () => lamp("page-state", "bad", "Simulator not reachable, trying again"),
  });
}

const HANDLERS = {
  clock: ({ now, offset_seconds: ahead }) => {
    Object.assign(state, { aheadMs: Date.parse(now) - Date.now(), offsetMs: ahead * 1000 });
    tick();
  },
  customer: ({ customer, previous_wa_id: previous }) => {
    if (!previous) keepCustomer(customer);
    else attempt(() => loadCustomers(previous === state.selected ? customer.wa_id : state.selected));
  },
  delivery: showBot,
  message: receive,
  reset: () => attempt(() => { state.unread.clear(); return loadCustomers(null); }),
  status: (data) => { if (isOnScreen(data)) changeStatus(data); },
  typing: (data) => { if (isOnScreen(data)) showTyping(data.seconds); },
};

function receive(data) {
  if (isOnScreen(data)) {
    addMessage(data.message);
    return;
  }
  const key = unreadKey(data.wa_id, data.number_id);
  if (data.message.direction === "out") state.unread.set(key, (state.unread.get(key) || 0) + 1);
  renderCustomers();
}

function isOnScreen({ wa_id: waId, number_id: number }) {
  return waId === state.selected && (!number || number === state.number);
}

function keepCustomer(customer) {
  const index = state.customers.findIndex((known) => known.wa_id === customer.wa_id);
  if (index < 0) state.customers.push(customer);
  else state.customers[index] = customer;
  renderCustomers();
  renderCustomer();
  tick();
}

// ---- showing

function renderCustomers() {
  const focused = document.activeElement?.dataset?.customer;
  at("customers").replaceChildren(...state.customers.map((customer) => personElement(customer, {
    selected: customer.wa_id === state.selected,
    unread: state.numbers.reduce((sum, number) => sum + (state.unread.get(unreadKey(customer.wa_id, number.phone_number_id)) || 0), 0),
    choose: () => attempt(async () => select(customer.wa_id)),
  })));
  if (focused) document.querySelector(`[data-customer="${focused}"]`)?.focus();
  for (const choice of at("number").options) choice.textContent = numberWords(choice.value);
}

// One business number is a line of text, several are a choice.
function showNumbers(business) {
  state.numbers = business.numbers || [business];
  state.number = state.numbers.some((number) => number.phone_number_id === state.number) ? state.number : state.numbers[0].phone_number_id;
  at("business-line").textContent = `+${business.display_phone_number}`;
  at("number-choice").hidden = state.numbers.length < 2;
  at("business-line").hidden = state.numbers.length > 1;
  at("number").replaceChildren(...state.numbers.map((number) => element("option", { value: number.phone_number_id }, numberWords(number.phone_number_id))));
  at("number").value = state.number;
}

function numberWords(id) {
  const unread = state.unread.get(unreadKey(state.selected, id));
  const number = state.numbers.find((known) => known.phone_number_id === id);
  return `+${number.display_phone_number}${unread ? ` (${unread} new)` : ""}`;
}

function unreadKey(waId, number) {
  return `${waId} ${number || state.numbers[0].phone_number_id}`;
}

function showBot(delivery) {
  if (delivery.last_status === 200) lamp("bot-state", "good", "Bot answers its webhook");
  else if (delivery.last_status) lamp("bot-state", "bad", `Bot answered ${delivery.last_status}, the webhook is sent again`);
  else if (delivery.last_error) lamp("bot-state", "bad", `Bot does not answer: ${delivery.last_error}; the webhook is sent again`);
}

function showRaw(payload) {
  at("raw-text").textContent = JSON.stringify(payload, null, 2);
  at("raw").showModal();
}

// ---- doing

const WISHES = {
  ask: (message, product) => ask(message, product),
  call: () => callBusiness(),
  fill: (message, form) => fill(message, form),
  find: (_, id) => findMessage(id),
  locate: (message) => locate(message),
  menu: (message) => openMenu(message),
  open: (message, list) => openList(message, list),
  raw: (_, payload) => showRaw(payload),
  shop: (_, products) => shop(products),
  tap: (message, id) => tap(message, id),
};

function act(message, wish) {
  for (const [name, value] of Object.entries(wish)) WISHES[name](message, value);
}

async function addCustomer(form) {
  const data = new FormData(form);
  const body = { wa_id: data.get("wa_id"), name: data.get("name"), hide_number: data.has("hide_number") };
  const customer = await attempt(() => call("POST", "customers", body));
  if (!customer) return;
  form.reset();
  at("add").open = false;
  keepCustomer(customer);
  select(customer.wa_id);
}

// ---- wiring

function wire() {
  wireSheet();
  wireChat(act);
  wireOperator((customer) => loadCustomers(customer.wa_id));
  at("composer").addEventListener("submit", (event) => { event.preventDefault(); sendText(); });
  at("text").addEventListener("input", fitText);
  at("text").addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    sendText();
  });
  at("attach").addEventListener("click", openAttachments);
  at("call").addEventListener("click", callBusiness);
  at("number").addEventListener("change", (event) => attempt(async () => select(state.selected, event.target.value)));
  at("add-form").addEventListener("submit", (event) => { event.preventDefault(); addCustomer(event.target); });
  document.addEventListener("visibilitychange", () => { if (state.selected) watch(); });
}

wire();
// The simulator may still be starting.
(async function begin() {
  if (await attempt(async () => { await start(); return true; })) return;
  lamp("page-state", "bad", "Simulator not reachable, trying again");
  setTimeout(begin, 2000);
})();
