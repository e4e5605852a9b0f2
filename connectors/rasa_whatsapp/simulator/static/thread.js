// From the messages of a chat to what a phone shows: reactions, edits and deletions are marks on the message they name.
// Pure.

const NO_MARKS = Object.freeze({ reactions: [], text: null, deleted: false });

// The id of the message that this one is a mark on, or null.
export function target(message) {
  return (message.reaction || message.edit || message.revoke)?.message_id || null;
}

// Whether a message is only a mark on another one that is here.
export function isMark(message, messages) {
  const id = target(message);
  return id !== null && messages.some((other) => other.id === id);
}

// What has happened to a message: the latest reaction of each side, its latest text, whether it was deleted.
export function marksOf(id, messages) {
  const reactions = new Map();
  const marks = { ...NO_MARKS };
  for (const message of messages) {
    if (target(message) !== id || message.status === "failed") continue;
    if (message.reaction) reactions.set(message.direction, message.reaction.emoji);
    else if (message.edit) marks.text = message.edit.text;
    else marks.deleted = true;
  }
  marks.reactions = [...reactions].filter(([, emoji]) => emoji).map(([side, emoji]) => ({ side, emoji }));
  return marks;
}
