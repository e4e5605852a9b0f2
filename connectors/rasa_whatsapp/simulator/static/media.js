// Photos, stickers, videos, voice notes, documents: played when they lie here, a card when they lie elsewhere.

import { element, icon } from "./element.js";
import { isNear, outside, webAddress } from "./links.js";

const NAMES = { image: "Photo", video: "Video", audio: "Audio", document: "Document", sticker: "Sticker" };
const PLAYERS = {
  image: (source) => outside(source, { class: "photo" }, element("img", { src: source.href, alt: "Photo" })),
  sticker: (source) => element("img", { class: "sticker", src: source.href, alt: "Sticker" }),
  video: (source) => element("video", { src: source.href, controls: true, preload: "metadata", "aria-label": "Video" }),
  audio: (source, media) => element("div", { class: "sound" }, icon("audio"),
    element("audio", { src: source.href, controls: true, preload: "metadata", "aria-label": mediaName(media) })),
  document: documentElement,
};

// `media` is {kind, url? (here), link? (anywhere), filename?, voice?, size?}.
export function mediaElement(media) {
  const source = sourceOf(media);
  const player = PLAYERS[media.kind];
  if (!source || !player) return card(media);
  const shown = player(source, media);
  const broken = () => shown.replaceWith(card(media, "cannot be shown"));
  (shown.querySelector("img, audio") || shown).addEventListener("error", broken);
  return shown;
}

export function mediaName(media) {
  return media.voice ? "Voice note" : NAMES[media.kind] || "File";
}

function sourceOf(media) {
  const url = webAddress(media.url ?? media.link, location.href);
  return url && isNear(url) ? url : null;
}

// Saved, never opened here: a document may be a page with scripts.
function documentElement(source, media) {
  const name = fileName(media) || "document";
  return element("a", { class: "file", href: source.href, download: name, title: "Save" }, icon("document"),
    fileWords(name, ["Document", sizeWords(media.size)].filter(Boolean).join(" · ")));
}

function card(media, problem = null) {
  const url = webAddress(media.link);
  const place = problem || (url ? `on ${url.host}` : "not kept here");
  const name = mediaName(media);
  const inside = [icon(media.kind), fileWords(fileName(media) || name, `${name} ${place}`)];
  return url ? outside(url, { class: "file", title: url.href }, ...inside) : element("div", { class: "file" }, ...inside);
}

function fileWords(name, line) {
  return element("span", { class: "names" }, element("span", {}, name), element("span", { class: "quiet" }, line));
}

function fileName(media) {
  if (media.filename) return media.filename;
  const last = webAddress(media.link)?.pathname.split("/").pop();
  try {
    return last ? decodeURIComponent(last) : "";
  } catch {
    return last;
  }
}

function sizeWords(bytes) {
  if (!bytes) return "";
  return bytes < 1_000_000 ? `${Math.ceil(bytes / 1000)} kB` : `${(bytes / 1_000_000).toFixed(1)} MB`;
}
