// The menu of one message: react, reply, and with one's own messages edit and delete.

import { summary, wordsOf } from "./bubbles.js";
import { button, element } from "./element.js";
import { state } from "./page.js";
import { change, edit, reply } from "./sending.js";
import { closeSheet, openSheet, option } from "./sheet.js";
import { marksOf } from "./thread.js";

const EMOJIS = [["👍", "Thumbs up"], ["❤️", "Heart"], ["😂", "Laughing"], ["😮", "Surprised"], ["😢", "Crying"], ["🙏", "Thank you"]];
const EDITABLE = new Set(["text", "image", "video", "document"]);

export function openMenu(message) {
  const marks = marksOf(message.id, state.messages);
  const mine = marks.reactions.find(({ side }) => side === "in")?.emoji;
  const own = message.direction === "in";
  openSheet(summary(message, marks).slice(0, 60), [
    element("div", { class: "emojis", role: "group", "aria-label": "React" }, ...EMOJIS.map(([emoji, name]) => emojiButton(message, emoji, name, mine))),
    option("Reply", "the message is quoted", () => reply(message)),
    own && EDITABLE.has(message.type) ? option("Edit", "within 15 minutes", () => edit(message, wordsOf(message, marks))) : null,
    own ? option("Delete for everyone", "within 2 days", () => change({ type: "revoke", message_id: message.id })) : null,
  ]);
}

// A second tap on the same emoji takes it back.
function emojiButton(message, emoji, name, mine) {
  const again = emoji === mine;
  return button(emoji, () => {
    closeSheet();
    change({ type: "reaction", message_id: message.id, emoji: again ? null : emoji });
  }, { "aria-label": again ? `Take back ${name}` : name, title: name, "aria-pressed": String(again) });
}
