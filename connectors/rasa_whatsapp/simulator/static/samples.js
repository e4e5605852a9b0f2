// Things to send with one click: drawn or written here, so that each is a real file of its kind.

import { VIDEO, VOICE } from "./clips.js";

const [WIDTH, HEIGHT] = [640, 480];
const STICKER = 512;

export const LOCATION = { latitude: 52.5163, longitude: 13.3777, name: "Brandenburg Gate", address: "Pariser Platz, 10117 Berlin" };
export const CONTACT = { name: "Jonas Weber", phone: "+49 151 23456789" };
export const ORDER = { catalog_id: "300000000000001", product_retailer_id: "MUG-01", quantity: 2, item_price: 9.9, currency: "EUR" };

export async function photo() {
  return { type: "image", ...await drawn(WIDTH, HEIGHT, landscape, "image/jpeg") };
}

export async function sticker() {
  const made = await drawn(STICKER, STICKER, smile, "image/webp");
  if (made.mime_type !== "image/webp") throw new Error("This browser cannot draw WebP: choose a sticker file");
  return { type: "sticker", ...made };
}

export function video() {
  return { type: "video", data: VIDEO, mime_type: "video/mp4" };
}

export function voiceNote() {
  return { type: "audio", data: VOICE, mime_type: "audio/ogg; codecs=opus", voice: true };
}

export function receipt() {
  return { type: "document", data: btoa(pdf("Receipt for order 1002")), mime_type: "application/pdf", filename: "receipt-1002.pdf" };
}

// A file or recording as the control API takes it.
export function encodedFile(blob) {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onerror = () => reject(new Error("The file cannot be read"));
    reader.onload = () => resolve({ data: reader.result.slice(reader.result.indexOf(",") + 1), mime_type: blob.type || "application/octet-stream" });
    reader.readAsDataURL(blob);
  });
}

async function drawn(width, height, draw, type) {
  const canvas = Object.assign(document.createElement("canvas"), { width, height });
  draw(canvas.getContext("2d"));
  return encodedFile(await new Promise((resolve) => { canvas.toBlob(resolve, type, 0.8); }));
}

function landscape(pen) {
  const sky = pen.createLinearGradient(0, 0, 0, HEIGHT);
  sky.addColorStop(0, "#8fc7d8");
  sky.addColorStop(1, "#fdecc8");
  fill(pen, sky, () => pen.rect(0, 0, WIDTH, HEIGHT));
  fill(pen, "#f0b254", () => pen.arc(490, 130, 52, 0, 7));
  fill(pen, "#2a9d8f", () => polygon(pen, [[0, 360], [190, 170], [360, 340], [470, 250], [640, 380], [640, 480], [0, 480]]));
  fill(pen, "#12434b", () => polygon(pen, [[0, 430], [250, 350], [640, 440], [640, 480], [0, 480]]));
}

function smile(pen) {
  fill(pen, "#f0b254", () => pen.arc(256, 256, 230, 0, 7));
  fill(pen, "#3a2500", () => { pen.arc(180, 205, 26, 0, 7); pen.arc(332, 205, 26, 0, 7); });
  fill(pen, "#3a2500", () => pen.arc(256, 290, 120, 0, Math.PI));
}

function fill(pen, colour, outline) {
  pen.fillStyle = colour;
  pen.beginPath();
  outline();
  pen.fill();
}

function polygon(pen, points) {
  points.forEach(([x, y]) => pen.lineTo(x, y));
  pen.closePath();
}

// One page with one line of ASCII text, with a true table of offsets.
function pdf(line) {
  const page = `BT /F1 22 Tf 60 740 Td (${line}) Tj ET`;
  const objects = [
    "<< /Type /Catalog /Pages 2 0 R >>",
    "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
    "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>",
    `<< /Length ${page.length} >>\nstream\n${page}\nendstream`,
    "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
  ];
  let text = "%PDF-1.4\n";
  const offsets = objects.map((object, index) => {
    const offset = text.length;
    text += `${index + 1} 0 obj\n${object}\nendobj\n`;
    return `${String(offset).padStart(10, "0")} 00000 n \n`;
  });
  return `${text}xref\n0 6\n0000000000 65535 f \n${offsets.join("")}trailer\n<< /Size 6 /Root 1 0 R >>\nstartxref\n${text.length}\n%%EOF\n`;
}
