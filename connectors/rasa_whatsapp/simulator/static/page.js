// What all parts of the page share: what is known, the elements by id, and how a failure is shown.

export const state = {
  customers: [], selected: null, numbers: [], number: null, messages: [], waiting: null, unread: new Map(),
  aheadMs: 0, offsetMs: 0, stream: null, typingTimer: 0,
};

export const at = (id) => document.getElementById(id);

export const selected = () => state.customers.find((customer) => customer.wa_id === state.selected);

// Run something that may fail, and show why it did.
export async function attempt(work) {
  try {
    return await work();
  } catch (error) {
    toast(error.message);
    return null;
  }
}

export function toast(text) {
  at("toast").textContent = text;
  at("toast").hidden = false;
  clearTimeout(toast.timer);
  toast.timer = setTimeout(() => { at("toast").hidden = true; }, 6000);
}

export function lamp(id, mood, text) {
  if (at(id).textContent !== text) at(id).textContent = text;
  at(id).dataset.state = mood;
}
