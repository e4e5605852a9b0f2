// The templates page: every template in every language, live, and an operator's decisions in Meta's place.

import { call, listen } from "./control.js";
import { element } from "./element.js";
import { at, attempt, lamp, state } from "./page.js";
import { said, templateElement } from "./template_card.js";
import { dayName } from "./words.js";

const CATEGORIES = ["UTILITY", "MARKETING", "AUTHENTICATION"];
let templates = [];
// The template that an open dialog is about.
let chosen = null;
let asked = 0;

// Only the latest answer counts, when several are on their way.
async function load() {
  const turn = ++asked;
  const answer = await call("GET", "templates");
  if (turn !== asked) return;
  ({ templates } = answer);
  showStatuses();
  render();
}

// ---- showing

function render() {
  const { name, status } = Object.fromEntries(new FormData(at("filter")));
  const shown = templates.filter((one) => one.name.includes(name.trim().toLowerCase()) && (!status || one.status === status));
  const names = [...new Set(shown.map((one) => one.name))];
  const focused = place(document.activeElement);
  const waiting = templates.filter((one) => one.status === "PENDING").length;
  at("count").textContent = `${shown.length} of ${templates.length} shown, ${waiting} in review`;
  at("groups").replaceChildren(...names.map((each) => group(each, shown.filter((one) => one.name === each))));
  if (!names.length) at("groups").append(element("p", { class: "nothing" }, templates.length ? "None of these." : "No templates yet. Start with --templates, or create some by the API."));
  restore(focused);
}

function group(name, translations) {
  const title = `name-${name}`;
  return element("section", { class: "group", "aria-labelledby": title },
    element("h2", { id: title }, name),
    element("div", { class: "translations" }, ...translations.map((one) => templateElement(one, act))));
}

// Only what there is can be chosen.
function showStatuses() {
  const chosenStatus = at("status-choice").value;
  const statuses = [...new Set([...templates.map((one) => one.status), ...(chosenStatus ? [chosenStatus] : [])])].sort();
  at("status-choice").replaceChildren(element("option", { value: "" }, "All"), ...statuses.map((status) => element("option", { value: status }, said(status))));
  at("status-choice").value = chosenStatus;
}

// A list that is drawn again must not take the focus away: the same action, or the first of that template.
function place(focused) {
  const card = focused?.closest?.("[data-template]");
  return card ? { id: card.dataset.template, action: focused.dataset.action } : null;
}

function restore(focused) {
  if (!focused) return;
  const card = document.querySelector(`[data-template="${focused.id}"]`);
  const actions = card ? [...card.querySelectorAll("[data-action]")] : [];
  (actions.find((one) => one.dataset.action === focused.action) || actions[0])?.focus();
}

function tick() {
  const now = new Date(Date.now() + state.aheadMs);
  at("time").textContent = `Simulated time: ${dayName(now)}, ${now.toLocaleTimeString("en-GB")}`;
}

// ---- doing

function act(template, wish) {
  if (wish.reject) open("reject", template, `Reject ${template.name} (${template.language})`);
  else if (wish.category) {
    const others = CATEGORIES.filter((category) => category !== template.category);
    at("category-choice").replaceChildren(...others.map((category) => element("option", { value: category }, said(category))));
    open("category", template, `Category of ${template.name} (${template.language})`);
  } else decide(template, wish);
}

// What was refused is drawn again as it is.
async function decide({ name, language }, decision) {
  const done = await attempt(() => call("PUT", `templates/${name}/${language}`, decision));
  if (!done) attempt(load);
}

function open(dialog, template, title) {
  chosen = template;
  at(`${dialog}-form`).reset();
  at(`${dialog}-title`).textContent = title;
  at(`${dialog}-dialog`).showModal();
}

// ---- wiring

function wireDialog(dialog, decisionOf) {
  at(`${dialog}-dialog`).addEventListener("close", (event) => {
    const { returnValue } = event.target;
    event.target.returnValue = "";
    if (returnValue === "do") decide(chosen, decisionOf(new FormData(at(`${dialog}-form`))));
  });
}

const HANDLERS = {
  clock: ({ now }) => { state.aheadMs = Date.parse(now) - Date.now(); tick(); },
  reset: () => attempt(load),
  templates: () => attempt(load),
};

function wire() {
  at("filter").addEventListener("submit", (event) => event.preventDefault());
  at("filter").addEventListener("input", render);
  wireDialog("reject", (form) => ({
    status: "REJECTED",
    ...(form.get("reason") ? { reason: form.get("reason") } : {}),
    ...(form.get("recommendation") ? { recommendation: form.get("recommendation") } : {}),
  }));
  wireDialog("category", (form) => ({ category: form.get("category"), announced: form.has("announced") }));
  setInterval(tick, 1000);
  listen(null, {
    names: Object.keys(HANDLERS),
    heard: (name, data) => HANDLERS[name](data),
    opened: () => { lamp("page-state", "good", "Live"); attempt(load); },
    lost: () => lamp("page-state", "bad", "Simulator not reachable, trying again"),
  });
}

wire();
