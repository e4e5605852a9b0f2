// The phone page: one customer's chat, live.

import { dayElement, element, messageElement, typingElement } from "./bubbles.js";
import { call, listen } from "./control.js";
import { factElements, personElement } from "./people.js";
import { dayName, duration, initials, windowWords } from "./words.js";

const FIRST_CUSTOMER = { wa_id: "4915112345678", name: "Lea" };
const REMEMBERED = "rasa-whatsapp-simulator-customer";
// What lies under the sheet of a list.
const SCREEN = ["chat", "composer"];

const at = (id) => document.getElementById(id);
const state = { customers: [], selected: null, messages: [], waiting: null, unread: new Map(), aheadMs: 0, offsetMs: 0, stream: null, typingTimer: 0 };

// Run something that may fail, and show why it did.
async function attempt(work) {
  try {
    return await work();
  } catch (error) {
    toast(error.message);
    return null;
  }
}

function toast(text) {
  at("toast").textContent = text;
  at("toast").hidden = false;
  clearTimeout(toast.timer);
  toast.timer = setTimeout(() => { at("toast").hidden = true; }, 6000);
}

// ---- loading

async function start() {
  const business = await call("GET", "settings");
  at("business-name").textContent = business.verified_name;
  at("business-line").textContent = `+${business.display_phone_number}`;
  at("business-initials").textContent = initials(business.verified_name);
  const { deliveries } = await call("GET", "deliveries?limit=1");
  if (deliveries.length) showBot(deliveries[0]);
  await loadCustomers(localStorage.getItem(REMEMBERED));
}

async function loadCustomers(wanted) {
  let { customers } = await call("GET", "customers");
  if (!customers.length) customers = [await call("POST", "customers", FIRST_CUSTOMER)];
  state.customers = customers;
  const found = customers.find((customer) => customer.wa_id === wanted) || customers[0];
  await select(found.wa_id);
}

async function select(waId) {
  state.selected = waId;
  state.unread.delete(waId);
  localStorage.setItem(REMEMBERED, waId);
  hideTyping();
  renderCustomers();
  watch();
}

// What happens while the chat is on its way is kept, and applied to what arrives.
async function loadChat() {
  const waId = state.selected;
  const waiting = state.waiting = [];
  const chat = await call("GET", `customers/${waId}/chat`).catch((error) => {
    if (waiting === state.waiting) state.waiting = null;
    throw error;
  });
  if (waId !== state.selected || waiting !== state.waiting) return;
  state.waiting = null;
  state.messages = chat.messages;
  keepCustomer(chat.customer);
  renderChat();
  waiting.forEach((apply) => apply());
}

// The stream says which chat is on screen, so that the simulator can report it as read.
function watch() {
  state.stream?.close();
  state.stream = listen(document.hidden ? null : state.selected, {
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
  customer: ({ customer }) => { keepCustomer(customer); },
  delivery: showBot,
  message: receive,
  reset: () => attempt(() => { state.unread.clear(); return loadCustomers(null); }),
  status: changeStatus,
  typing: ({ wa_id: waId, seconds }) => { if (waId === state.selected) showTyping(seconds); },
};

function receive({ wa_id: waId, message }) {
  if (waId !== state.selected) {
    if (message.direction === "out") state.unread.set(waId, (state.unread.get(waId) || 0) + 1);
    renderCustomers();
    return;
  }
  if (state.messages.some((known) => known.id === message.id)) return;
  state.messages.push(message);
  if (message.direction === "out") hideTyping();
  appendMessage(message);
  scrollDown();
}

function changeStatus({ wa_id: waId, id, status, errors }) {
  const message = waId === state.selected && state.messages.find((known) => known.id === id);
  if (!message) return;
  Object.assign(message, { status, errors });
  const shown = [...at("chat").children].find((child) => child.dataset.id === id);
  // A button that somebody is about to press keeps the keyboard's focus.
  const focused = shown && [...shown.querySelectorAll("button")].indexOf(document.activeElement);
  const fresh = messageElement(message, (wish) => act(message, wish));
  shown?.replaceWith(fresh);
  if (focused >= 0) fresh.querySelectorAll("button")[focused]?.focus();
  if (status === "failed") scrollDown();
}

function keepCustomer(customer) {
  const index = state.customers.findIndex((known) => known.wa_id === customer.wa_id);
  if (index < 0) state.customers.push(customer);
  else state.customers[index] = customer;
  renderCustomers();
  renderFacts();
  tick();
}

// ---- showing

function renderCustomers() {
  const focused = document.activeElement?.dataset?.customer;
  at("customers").replaceChildren(...state.customers.map((customer) => personElement(customer, {
    selected: customer.wa_id === state.selected,
    unread: state.unread.get(customer.wa_id),
    choose: () => attempt(() => select(customer.wa_id)),
  })));
  if (focused) document.querySelector(`[data-customer="${focused}"]`)?.focus();
}

function renderFacts() {
  const customer = selected();
  if (!customer) return;
  at("owner").textContent = `${customer.name}'s phone`;
  at("phone-title").textContent = `Phone of ${customer.name}`;
  at("customer-title").textContent = customer.name;
  at("marketing").checked = customer.marketing !== "stop";
  at("facts").replaceChildren(...factElements(customer));
}

function renderChat() {
  at("chat").replaceChildren();
  if (!state.messages.length) {
    at("chat").append(element("li", { class: "empty" }, "Nothing here yet. Write something below: it reaches the bot by webhook, as from a real phone."));
  }
  state.messages.forEach(appendMessage);
  scrollDown();
}

function appendMessage(message) {
  const chat = at("chat");
  chat.querySelector(".empty")?.remove();
  const day = dayName(new Date(message.timestamp));
  const days = chat.querySelectorAll(".day");
  if (!days.length || days[days.length - 1].textContent !== day) chat.append(dayElement(day));
  chat.append(messageElement(message, (wish) => act(message, wish)));
}

function scrollDown() {
  at("chat").scrollTop = at("chat").scrollHeight;
}

function showTyping(seconds) {
  hideTyping();
  at("chat").append(typingElement());
  at("business-line").dataset.number ||= at("business-line").textContent;
  at("business-line").textContent = "typing…";
  scrollDown();
  state.typingTimer = setTimeout(hideTyping, seconds * 1000);
}

function hideTyping() {
  clearTimeout(state.typingTimer);
  at("chat").querySelector("[data-typing]")?.remove();
  if (at("business-line").dataset.number) at("business-line").textContent = at("business-line").dataset.number;
}

function lamp(id, mood, text) {
  if (at(id).textContent !== text) at(id).textContent = text;
  at(id).dataset.state = mood;
}

function showBot(delivery) {
  if (delivery.last_status === 200) lamp("bot-state", "good", "Bot answers its webhook");
  else if (delivery.last_status) lamp("bot-state", "bad", `Bot answered ${delivery.last_status}, the webhook is sent again`);
  else if (delivery.last_error) lamp("bot-state", "bad", `Bot does not answer: ${delivery.last_error}; the webhook is sent again`);
}

// ---- time

function tick() {
  const now = Date.now() + state.aheadMs;
  const shown = new Date(now);
  at("time").replaceChildren(dayName(shown), element("br"), shown.toLocaleTimeString("en-GB"));
  at("ahead").textContent = state.offsetMs ? `${duration(state.offsetMs)} ahead of the real time` : "Same as the real time";
  showWindow(selected()?.window?.expires_at, now);
}

function showWindow(expiresAt, now) {
  const { mood, text } = windowWords(expiresAt, now);
  at("window").dataset.state = mood;
  if (at("window").textContent !== text) at("window").textContent = text;
}

// ---- doing

function act(message, wish) {
  if (wish.raw) showRaw(wish.raw);
  else if (wish.open) openSheet(message, wish.open);
  else attempt(() => tap(message, wish.tap));
}

function tap(message, button) {
  return call("POST", `customers/${state.selected}/messages`, { type: "tap", message_id: message.id, button });
}

function openSheet(message, list) {
  at("sheet-title").textContent = list.button;
  at("sheet-rows").replaceChildren(...list.sections.flatMap((section) => [
    section.title ? element("h3", {}, section.title) : null,
    ...section.rows.map((row) => element("button", {
      value: "cancel", class: "option", onclick: () => attempt(() => tap(message, row.id)),
    }, element("span", {}, row.title), row.description ? element("span", { class: "quiet" }, row.description) : null)),
  ]).filter(Boolean));
  for (const part of SCREEN) at(part).inert = true;
  at("sheet").show();
}

function showRaw(payload) {
  at("raw-text").textContent = JSON.stringify(payload, null, 2);
  at("raw").showModal();
}

function advance(seconds) {
  return attempt(() => call("POST", "clock", { advance_seconds: seconds }));
}

async function sendText() {
  const text = at("text").value.trim();
  if (!text) return;
  const sent = await attempt(() => call("POST", `customers/${state.selected}/messages`, { type: "text", text }));
  if (sent) at("text").value = "";
  fitText();
}

function fitText() {
  at("text").rows = Math.min(at("text").value.split("\n").length, 5);
}

async function addCustomer(form) {
  const data = new FormData(form);
  const body = { wa_id: data.get("wa_id"), name: data.get("name"), hide_number: data.has("hide_number") };
  const customer = await attempt(() => call("POST", "customers", body));
  if (!customer) return;
  form.reset();
  at("add").open = false;
  keepCustomer(customer);
  await attempt(() => select(customer.wa_id));
}

const selected = () => state.customers.find((customer) => customer.wa_id === state.selected);

// ---- wiring

function wire() {
  at("composer").addEventListener("submit", (event) => { event.preventDefault(); sendText(); });
  at("text").addEventListener("input", fitText);
  at("text").addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    sendText();
  });
  at("add-form").addEventListener("submit", (event) => { event.preventDefault(); addCustomer(event.target); });
  document.querySelectorAll("[data-advance]").forEach((button) => {
    button.addEventListener("click", () => advance(Number(button.dataset.advance)));
  });
  at("advance-form").addEventListener("submit", (event) => {
    event.preventDefault();
    advance(Number(at("amount").value) * Number(at("unit").value));
  });
  at("marketing").addEventListener("change", (event) => attempt(() => call("PUT", `customers/${state.selected}/marketing`, { value: event.target.checked ? "resume" : "stop" })));
  at("sheet").addEventListener("close", () => { for (const part of SCREEN) at(part).inert = false; });
  at("sheet").addEventListener("keydown", (event) => { if (event.key === "Escape") at("sheet").close(); });
  at("reset").addEventListener("click", () => at("reset-dialog").showModal());
  at("reset-dialog").addEventListener("close", (event) => {
    if (event.target.returnValue === "reset") attempt(() => call("POST", "reset", {}));
    event.target.returnValue = "";
  });
  document.addEventListener("visibilitychange", () => { if (state.selected) watch(); });
  setInterval(tick, 1000);
}

wire();
// The simulator may still be starting.
(async function begin() {
  if (await attempt(async () => { await start(); return true; })) return;
  lamp("page-state", "bad", "Simulator not reachable, trying again");
  setTimeout(begin, 2000);
})();
