// Pictures out and in: saved with their marks, labelled where that was asked for, taken from a camera or a file.

export const toDataUri = (blob) =>
  new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result);
    reader.onerror = () => reject(reader.error);
    reader.readAsDataURL(blob);
  });

export function download(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

// Draws a label into the corner of a picture, enlarged so that it can be read, and keeps the marks of the file.
export async function labelled(blob, label) {
  if (!label) return blob;
  const bitmap = await createImageBitmap(blob);
  const scale = Math.max(1, Math.round(1024 / Math.max(bitmap.width, bitmap.height)));
  const canvas = new OffscreenCanvas(bitmap.width * scale, bitmap.height * scale);
  const draw = canvas.getContext("2d");
  draw.imageSmoothingEnabled = false;
  draw.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  const height = Math.round(canvas.height * 0.055);
  draw.font = `600 ${height}px system-ui, "Noto Sans CJK SC", sans-serif`;
  const width = draw.measureText(label).width + height;
  draw.fillStyle = "#000b";
  draw.beginPath();
  draw.roundRect(canvas.width - width - height / 2, canvas.height - height * 2.1, width, height * 1.6, height * 0.4);
  draw.fill();
  draw.fillStyle = "#fff";
  draw.fillText(label, canvas.width - width, canvas.height - height * 0.95);
  return withMarks(await canvas.convertToBlob({ type: "image/png" }), blob);
}

// A PNG is a signature and chunks; the text chunks of the server's file carry its marks, and go behind the header.
async function withMarks(picture, marked) {
  const [target, source] = await Promise.all([picture, marked].map(async (one) => new Uint8Array(await one.arrayBuffer())));
  const texts = chunks(source).filter(({ kind }) => kind === "iTXt").map(({ bytes }) => bytes);
  const header = chunks(target)[0].bytes;
  return new Blob([target.subarray(0, 8), header, ...texts, target.subarray(8 + header.length)], { type: "image/png" });
}

function chunks(png) {
  const view = new DataView(png.buffer, png.byteOffset, png.byteLength);
  const found = [];
  for (let at = 8; at + 12 <= png.length; ) {
    const length = view.getUint32(at) + 12;
    found.push({ kind: String.fromCharCode(...png.subarray(at + 4, at + 8)), bytes: png.subarray(at, at + length) });
    at += length;
  }
  return found;
}

export async function openCamera(video) {
  const stream = await navigator.mediaDevices.getUserMedia({ video: { width: 640, height: 480 }, audio: false });
  video.srcObject = stream;
  await video.play();
  return () => stream.getTracks().forEach((track) => track.stop());
}

async function read(chosen) {
  try {
    return await createImageBitmap(chosen);
  } catch (error) {
    throw Object.assign(new Error(error.message), { code: "invalid_image" });
  }
}

// A photograph in the proportions of the stage, no larger than a model reads.
export async function fitted(source, [width, height], longest = 512) {
  const bitmap = source instanceof HTMLVideoElement ? source : await read(source);
  const [wide, high] = [source.videoWidth ?? bitmap.width, source.videoHeight ?? bitmap.height];
  const ratio = width / height;
  const [cutWide, cutHigh] = wide / high > ratio ? [high * ratio, high] : [wide, wide / ratio];
  const scale = Math.min(1, longest / Math.max(cutWide, cutHigh));
  const canvas = new OffscreenCanvas(Math.round(cutWide * scale), Math.round(cutHigh * scale));
  canvas.getContext("2d").drawImage(bitmap, (wide - cutWide) / 2, (high - cutHigh) / 2, cutWide, cutHigh, 0, 0, canvas.width, canvas.height);
  return canvas.convertToBlob({ type: "image/png" });
}
