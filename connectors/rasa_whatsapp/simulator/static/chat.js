// The chat on the screen: messages in order, days between them, the typing dots; redrawn one by one as things happen.

import { dayElement, messageElement, typingElement } from "./bubbles.js";
import { element } from "./element.js";
import { at, state } from "./page.js";
import { isMark, marksOf, target } from "./thread.js";
import { dayName } from "./words.js";

const NEAR_END_PX = 120;
// What a tap on a message wants is told here; set once by the page.
let act = () => {};

export function wireChat(wanted) {
  act = wanted;
  // A photo that arrives late must not push the end of the chat out of sight.
  for (const name of ["load", "loadedmetadata"]) at("chat").addEventListener(name, () => { if (isNearEnd(2)) scrollDown(); }, true);
}

export function renderChat() {
  at("chat").replaceChildren();
  if (!state.messages.length) {
    at("chat").append(element("li", { class: "empty" }, "Nothing here yet. Write something below: it reaches the bot by webhook, as from a real phone."));
  }
  state.messages.forEach(append);
  scrollDown();
}

export function addMessage(message) {
  if (state.messages.some((known) => known.id === message.id)) return;
  state.messages.push(message);
  if (message.direction === "out") hideTyping();
  append(message);
  if (isMark(message, state.messages)) redraw(target(message));
  else scrollDown();
}

export function changeStatus({ id, status, errors }) {
  const message = state.messages.find((known) => known.id === id);
  if (!message) return;
  Object.assign(message, { status, errors });
  redraw(isMark(message, state.messages) ? target(message) : id);
  if (status === "failed") scrollDown();
}

export function findMessage(id) {
  const shown = elementOf(id);
  if (!shown) return;
  shown.scrollIntoView({ block: "center" });
  shown.classList.add("found");
  setTimeout(() => shown.classList.remove("found"), 1500);
}

export function showTyping(seconds) {
  hideTyping();
  at("chat").append(typingElement());
  at("business-line").dataset.number ||= at("business-line").textContent;
  at("business-line").textContent = "typing…";
  scrollDown();
  state.typingTimer = setTimeout(hideTyping, seconds * 1000);
}

export function hideTyping() {
  clearTimeout(state.typingTimer);
  at("chat").querySelector("[data-typing]")?.remove();
  if (at("business-line").dataset.number) at("business-line").textContent = at("business-line").dataset.number;
}

function append(message) {
  if (isMark(message, state.messages)) return;
  const chat = at("chat");
  chat.querySelector(".empty")?.remove();
  const day = dayName(new Date(message.timestamp));
  const days = chat.querySelectorAll(".day:not(.note)");
  if (!days.length || days[days.length - 1].textContent !== day) chat.append(dayElement(day));
  chat.append(drawn(message));
}

function drawn(message) {
  return messageElement(message, (wish) => act(message, wish), {
    marks: marksOf(message.id, state.messages),
    quoted: state.messages.find((known) => known.id === message.quoting) || null,
  });
}

// A button that somebody is about to press keeps the keyboard's focus, a recording that plays goes on.
function redraw(id) {
  const message = state.messages.find((known) => known.id === id);
  const shown = elementOf(id);
  if (!message || !shown) return;
  const focused = [...shown.querySelectorAll("button, a")].indexOf(document.activeElement);
  const atEnd = isNearEnd();
  const fresh = drawn(message);
  keepPlayers(shown, fresh);
  const scrolled = shown.querySelector(".carousel")?.scrollLeft;
  shown.replaceWith(fresh);
  if (scrolled) fresh.querySelector(".carousel").scrollLeft = scrolled;
  if (focused >= 0) fresh.querySelectorAll("button, a")[focused]?.focus();
  if (atEnd) scrollDown();
}

function keepPlayers(shown, fresh) {
  const old = [...shown.querySelectorAll("img, audio, video")];
  for (const [index, player] of [...fresh.querySelectorAll("img, audio, video")].entries()) {
    if (old[index]?.src === player.src) player.replaceWith(old[index]);
  }
}

function elementOf(id) {
  return [...at("chat").children].find((child) => child.dataset.id === id);
}

function isNearEnd(screens = 0) {
  const chat = at("chat");
  return chat.scrollHeight - chat.scrollTop - chat.clientHeight < NEAR_END_PX + screens * chat.clientHeight;
}

function scrollDown() {
  at("chat").scrollTop = at("chat").scrollHeight;
}
