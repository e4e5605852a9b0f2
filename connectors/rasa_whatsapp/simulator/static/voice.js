// A voice note from the microphone, as the OGG/Opus that a phone sends: from the recorder, or encoded here where the
// browser's recorder has no OGG.

import { oggOf } from "./ogg.js";

const OGG = "audio/ogg;codecs=opus";
const RATE = 48_000;
const PACKET_MICROSECONDS = 20_000;
const BITS_PER_SECOND = 16_000;

export function canRecord() {
  return Boolean(navigator.mediaDevices?.getUserMedia) && typeof MediaRecorder === "function"
    && (MediaRecorder.isTypeSupported(OGG) || typeof AudioEncoder === "function");
}

// Begin to record. The answer's `stop()` gives the voice note as a Blob, `discard()` throws it away.
export async function record() {
  const stream = await navigator.mediaDevices.getUserMedia({ audio: true });
  const recorder = new MediaRecorder(stream, MediaRecorder.isTypeSupported(OGG) ? { mimeType: OGG } : {});
  const parts = [];
  recorder.addEventListener("dataavailable", (event) => parts.push(event.data));
  const ended = new Promise((resolve) => { recorder.addEventListener("stop", resolve); });
  const end = async () => {
    if (recorder.state !== "inactive") recorder.stop();
    await ended;
    stream.getTracks().forEach((track) => track.stop());
  };
  recorder.start();
  return {
    discard: end,
    stop: async () => {
      await end();
      const recorded = new Blob(parts, { type: recorder.mimeType });
      return recorder.mimeType.startsWith("audio/ogg") ? recorded : toOgg(recorded);
    },
  };
}

async function toOgg(recorded) {
  const context = new OfflineAudioContext(1, 1, RATE);
  const sound = await context.decodeAudioData(await recorded.arrayBuffer()).catch(() => null);
  if (!sound?.length) throw new Error("Nothing was recorded: speak a little longer");
  return encoded(sound.getChannelData(0));
}

// Encode samples of one channel at 48 kHz, between -1 and 1.
async function encoded(samples) {
  const packets = [];
  let problem = null;
  const encoder = new AudioEncoder({
    output: (chunk) => {
      const bytes = new Uint8Array(chunk.byteLength);
      chunk.copyTo(bytes);
      packets.push(bytes);
    },
    error: (error) => { problem = error; },
  });
  encoder.configure({ codec: "opus", sampleRate: RATE, numberOfChannels: 1, bitrate: BITS_PER_SECOND, opus: { frameDuration: PACKET_MICROSECONDS } });
  const data = new AudioData({ format: "f32", sampleRate: RATE, numberOfFrames: samples.length, numberOfChannels: 1, timestamp: 0, data: samples });
  encoder.encode(data);
  data.close();
  await encoder.flush();
  encoder.close();
  if (problem) throw problem;
  return oggOf(packets);
}
