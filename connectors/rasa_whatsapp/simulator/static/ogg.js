// Opus packets of 20 ms to an Ogg file (RFC 3533, RFC 7845): what a phone records as a voice note.

const RATE = 48_000; // Opus in Ogg always counts in 48 kHz.
const PACKET_SAMPLES = 960;
const PACKETS_PER_PAGE = 50;
const SERIAL = 1;
const [FIRST, LAST] = [2, 4];

const CHECKSUMS = Uint32Array.from({ length: 256 }, (_, index) => {
  let value = index << 24;
  for (let bit = 0; bit < 8; bit += 1) value = value & 0x80000000 ? (value << 1) ^ 0x04c11db7 : value << 1;
  return value >>> 0;
});

// `packets` are Uint8Arrays of one channel.
export function oggOf(packets) {
  const pages = [page([head()], 0, 0, FIRST), page([tags()], 1, 0, 0)];
  for (let from = 0; from < packets.length; from += PACKETS_PER_PAGE) {
    const until = Math.min(from + PACKETS_PER_PAGE, packets.length);
    pages.push(page(packets.slice(from, until), pages.length, until * PACKET_SAMPLES, until === packets.length ? LAST : 0));
  }
  return new Blob(pages, { type: "audio/ogg; codecs=opus" });
}

function head() {
  const bytes = new Uint8Array(19);
  bytes.set(new TextEncoder().encode("OpusHead"));
  const view = new DataView(bytes.buffer);
  view.setUint8(8, 1);
  view.setUint8(9, 1);
  view.setUint16(10, 312, true); // samples that a decoder drops at the start
  view.setUint32(12, RATE, true);
  return bytes;
}

function tags() {
  const bytes = new Uint8Array(8 + 4 + 9 + 4);
  bytes.set(new TextEncoder().encode("OpusTags"));
  new DataView(bytes.buffer).setUint32(8, 9, true);
  bytes.set(new TextEncoder().encode("simulator"), 12);
  return bytes;
}

function page(packets, number, samples, flag) {
  const lacing = packets.flatMap((packet) => [...Array(Math.floor(packet.length / 255)).fill(255), packet.length % 255]);
  const bytes = new Uint8Array(27 + lacing.length + packets.reduce((sum, packet) => sum + packet.length, 0));
  const view = new DataView(bytes.buffer);
  bytes.set(new TextEncoder().encode("OggS"));
  view.setUint8(5, flag);
  view.setUint32(6, samples, true);
  view.setUint32(14, SERIAL, true);
  view.setUint32(18, number, true);
  view.setUint8(26, lacing.length);
  bytes.set(lacing, 27);
  let at = 27 + lacing.length;
  for (const packet of packets) {
    bytes.set(packet, at);
    at += packet.length;
  }
  view.setUint32(22, checksum(bytes), true);
  return bytes;
}

function checksum(bytes) {
  let value = 0;
  for (const byte of bytes) value = ((value << 8) ^ CHECKSUMS[((value >>> 24) ^ byte) & 255]) >>> 0;
  return value;
}
