// WhatsApp's own markup to elements: *bold*, _italic_, ~strike~, `code`, quoted lines.

import { element } from "./element.js";

const MARKUP = /(?<![\w*_~`])(```[\s\S]+?```|`[^`\n]+`|\*[^*\n]+\*|_[^_\n]+_|~[^~\n]+~)(?![\w*_~`])/g;
const TAGS = { "*": "strong", "_": "em", "~": "del", "`": "code" };

export function marked(text) {
  return text.split(/^((?:> .*(?:\n|$))+)/m).filter(Boolean).flatMap((part) => (part.startsWith("> ")
    ? [element("span", { class: "cited" }, ...inline(part.replace(/^> /gm, "").replace(/\n$/, "")))]
    : inline(part)));
}

function inline(text) {
  const parts = [];
  let from = 0;
  for (const match of text.matchAll(MARKUP)) {
    const fence = match[0].startsWith("```") ? 3 : 1;
    const tag = TAGS[match[0][0]];
    const inner = match[0].slice(fence, -fence);
    parts.push(text.slice(from, match.index), element(tag, {}, ...(tag === "code" ? [inner] : inline(inner))));
    from = match.index + match[0].length;
  }
  return [...parts, text.slice(from)].filter(Boolean);
}
