// The control API: one call, and the stream of events. The page knows nothing that these do not tell it.

export async function call(method, path, body) {
  const options = method === "GET" ? {} : { method, headers: { "Content-Type": "application/json" }, body: JSON.stringify(body ?? {}) };
  const answer = await fetch(`/control/${path}`, options);
  const json = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Error(json.error || `The simulator answered ${answer.status}`);
  return json;
}

// Listen for events of these names, with a chat on screen ({open: wa_id, number_id?}) or none. `opened` is called with
// whether the connection had been lost, after the first event of every connection: from then on nothing is missed.
export function listen(openChat, { names, heard, opened, lost }) {
  const stream = new EventSource(openChat ? `/control/events?${new URLSearchParams(openChat)}` : "/control/events");
  let fresh = true;
  let broken = false;
  stream.onerror = () => { broken = true; lost(); };
  for (const name of names) {
    stream.addEventListener(name, (event) => heard(name, JSON.parse(event.data)));
  }
  stream.addEventListener("clock", () => {
    if (!fresh && !broken) return;
    const wasBroken = broken;
    fresh = broken = false;
    opened(wasBroken);
  });
  return stream;
}
