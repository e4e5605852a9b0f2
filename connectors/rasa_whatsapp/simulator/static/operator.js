// The operator's side: the simulated time, the customer's settings, what happens at the business.

import { call } from "./control.js";
import { at, attempt, selected, state } from "./page.js";
import { factElements } from "./people.js";
import { path, toNumber } from "./sending.js";
import { dayName, duration, windowWords } from "./words.js";
import { element } from "./element.js";

// `moved` is called with a customer who has another number or user id now.
export function wireOperator(moved) {
  document.querySelectorAll("[data-advance]").forEach((made) => {
    made.addEventListener("click", () => advance(Number(made.dataset.advance)));
  });
  submitted("advance-form", () => advance(Number(at("amount").value) * Number(at("unit").value)));
  at("marketing").addEventListener("change", (event) => attempt(() => call("PUT", path("marketing"), { value: event.target.checked ? "resume" : "stop" })));
  at("hide-number").addEventListener("change", (event) => attempt(() => call("POST", "customers", { wa_id: state.selected, hide_number: event.target.checked })));
  at("new-user-id").addEventListener("click", () => attempt(async () => moved(await call("POST", path("user_id"), {}))));
  submitted("number-form", (form) => attempt(async () => {
    const customer = await call("POST", path("number"), { new_wa_id: new FormData(form).get("new_wa_id") });
    form.reset();
    await moved(customer);
  }));
  submitted("echo-form", (form) => attempt(async () => {
    await call("POST", path("echo"), { text: new FormData(form).get("text"), ...toNumber() });
    form.reset();
  }));
  at("reset").addEventListener("click", () => at("reset-dialog").showModal());
  at("reset-dialog").addEventListener("close", (event) => {
    if (event.target.returnValue === "reset") attempt(() => call("POST", "reset", {}));
    event.target.returnValue = "";
  });
  setInterval(tick, 1000);
}

export function renderCustomer() {
  const customer = selected();
  if (!customer) return;
  at("owner").textContent = `${customer.name}'s phone`;
  at("phone-title").textContent = `Phone of ${customer.name}`;
  at("customer-title").textContent = customer.name;
  at("marketing").checked = customer.marketing !== "stop";
  at("hide-number").checked = customer.hide_number;
  at("facts").replaceChildren(...factElements(customer));
}

export function tick() {
  const now = Date.now() + state.aheadMs;
  const shown = new Date(now);
  at("time").replaceChildren(dayName(shown), element("br"), shown.toLocaleTimeString("en-GB"));
  at("ahead").textContent = state.offsetMs ? `${duration(state.offsetMs)} ahead of the real time` : "Same as the real time";
  showWindow(windowOf(selected())?.expires_at, now);
}

// With the number on the screen: each has a window of its own.
function windowOf(customer) {
  return customer?.windows && state.number ? customer.windows[state.number] : customer?.window;
}

function showWindow(expiresAt, now) {
  const { mood, text } = windowWords(expiresAt, now);
  at("window").dataset.state = mood;
  if (at("window").textContent !== text) at("window").textContent = text;
}

function advance(seconds) {
  return attempt(() => call("POST", "clock", { advance_seconds: seconds }));
}

function submitted(id, act) {
  at(id).addEventListener("submit", (event) => { event.preventDefault(); act(event.target); });
}
