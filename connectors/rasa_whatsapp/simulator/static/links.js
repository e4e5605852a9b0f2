// Which addresses may be opened or loaded: http and https only; loaded from this page's origin and this machine only.

import { element } from "./element.js";

const LOOPBACK = /^(localhost|127(\.\d+){3})$/;

// The address as a URL, or null if it is none of http or https; `from` is where an address without a host starts.
export function webAddress(text, from = undefined) {
  try {
    const url = new URL(text, from);
    return url.protocol === "http:" || url.protocol === "https:" ? url : null;
  } catch {
    return null;
  }
}

// Whether a bot's link may be loaded without asking. Other hosts would learn who looks at the page.
export function isNear(url) {
  return url.origin === location.origin || (LOOPBACK.test(url.hostname) && LOOPBACK.test(location.hostname));
}

export function outside(url, attributes, ...children) {
  return element("a", { ...attributes, href: url.href, target: "_blank", rel: "noopener noreferrer" }, ...children);
}
