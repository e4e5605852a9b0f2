// How the page says things: days, durations, numbers, initials, the state of the care window.

const SOON_MS = 3600_000;

export function duration(ms) {
  const minutes = Math.floor(ms / 60_000);
  if (minutes < 10) return `${minutes} min ${Math.floor(ms / 1000) % 60} s`;
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

export function dayName(date) {
  return date.toLocaleDateString("en-GB", { weekday: "short", day: "numeric", month: "short", year: "numeric" });
}

export function windowWords(expiresAt, now) {
  const left = expiresAt ? Date.parse(expiresAt) - now : 0;
  if (left > 0) return { mood: left > SOON_MS ? "open" : "soon", text: `Care window open: ${duration(left)}` };
  return { mood: "closed", text: `Care window ${expiresAt ? "closed" : "not open yet"}: only templates` };
}

export function shownNumber(customer) {
  return customer.hide_number ? customer.username || "number hidden" : `+${customer.wa_id}`;
}

export function initials(name) {
  return name.split(/\s+/).filter(Boolean).slice(0, 2).map((word) => [...word][0].toUpperCase()).join("");
}
