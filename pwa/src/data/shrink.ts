/**
 * A picture made small by the browser: drawn at its size on the screen, encoded anew. What a camera writes beside
 * the pixels (place, time, device) does not come along.
 */
import { FieldError } from "./contract.ts";
import type { Bytes, Shrunk } from "./env.ts";
import { plain } from "./jpeg.ts";

/** What the server takes (schemas/photo.json). */
const MOST_BYTES = 150_000;
/** Longest side in pixels, and quality: the first that fits. A meter's dial is legible in all but the last. */
const STEPS: readonly (readonly [number, number])[] = [
  [1600, 0.8],
  [1600, 0.6],
  [1280, 0.6],
  [1280, 0.4],
  [960, 0.5],
  [800, 0.3],
  [480, 0.3],
];
const THUMB: readonly [number, number] = [240, 0.6];

/** Narrower by `less` pixels. Raises FieldError `bad_picture` for what this browser cannot open. */
export async function shrink(picture: Blob, less: number): Promise<Shrunk> {
  const url = URL.createObjectURL(picture);
  try {
    // An element rather than createImageBitmap: it turns the picture upright, and on a phone with little memory
    // a JPEG of 50 megapixels is never unpacked at full size.
    const image = new Image();
    image.src = url;
    await image.decode();
    return await fitting(image, less);
  } catch {
    throw new FieldError("bad_picture");
  } finally {
    URL.revokeObjectURL(url);
  }
}

async function fitting(image: HTMLImageElement, less: number): Promise<Shrunk> {
  for (const [side, quality] of STEPS) {
    const { blob, width, height } = await drawn(image, side, quality, less);
    if (blob.size > MOST_BYTES) continue;
    const thumb = await drawn(image, ...THUMB);
    const mime = blob.type as Shrunk["mime"];
    return { bytes: await bytesOf(blob), mime, width, height, thumb: await bytesOf(thumb.blob) };
  }
  throw new Error("too large at the smallest size");
}

async function drawn(image: HTMLImageElement, side: number, quality: number, less = 0) {
  const scale = Math.min(1, side / Math.max(image.naturalWidth, image.naturalHeight));
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(image.naturalWidth * scale) - less);
  canvas.height = Math.max(1, Math.round(image.naturalHeight * scale));
  const { width, height } = canvas;
  const pen = canvas.getContext("2d");
  if (!pen) throw new Error("no canvas");
  pen.fillStyle = "#fff"; // JPEG knows no transparency
  pen.fillRect(0, 0, width, height);
  pen.drawImage(image, 0, 0, width, height);
  const blob =
    (await encoded(canvas, "image/webp", quality)) ?? (await encoded(canvas, "image/jpeg", quality));
  // Phones keep the memory of a canvas for a while, unless it has no size.
  canvas.width = canvas.height = 0;
  if (!blob) throw new Error("no encoder");
  return { blob, width, height };
}

/** Null where the browser cannot write this type: it gives PNG then. */
function encoded(canvas: HTMLCanvasElement, type: Shrunk["mime"], quality: number): Promise<Blob | null> {
  return new Promise((resolve) => {
    canvas.toBlob((blob) => resolve(blob?.type === type ? blob : null), type, quality);
  });
}

async function bytesOf(blob: Blob): Promise<Bytes> {
  const bytes = new Uint8Array(await blob.arrayBuffer());
  return blob.type === "image/jpeg" ? plain(bytes) : bytes;
}
