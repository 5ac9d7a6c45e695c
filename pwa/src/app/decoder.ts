/**
 * Reads QR codes out of a camera's picture. The browser's own reader looks first: it is quick, and good in bad light.
 * It is not everywhere (Chrome on Android has it, where Google's services are on the phone), and where it sees nothing
 * a small decoder of our own looks at the same picture.
 */
import { decodeQR } from "qr/decode.js";

/** Shape Detection API, as far as it is used here. */
interface BarcodeDetector {
  detect(source: HTMLVideoElement): Promise<readonly { readonly rawValue: string }[]>;
}
interface BarcodeDetectors {
  new (options: { readonly formats: readonly string[] }): BarcodeDetector;
  getSupportedFormats(): Promise<readonly string[]>;
}

/** Milliseconds that one picture may take: a phone for little money shows ten in a second then. */
const PATIENCE = 80;

/** What looks at the picture that a video shows: the texts of the codes in it. */
export type Look = (video: HTMLVideoElement) => Promise<readonly string[]>;

export async function decoder(): Promise<Look> {
  const native = await browsers();
  const canvas = document.createElement("canvas");
  const context = canvas.getContext("2d", { willReadFrequently: true });
  return async (video) => {
    const [width, height] = [video.videoWidth, video.videoHeight];
    const side = Math.min(width, height);
    if (side === 0 || video.readyState < video.HAVE_CURRENT_DATA) return [];
    // It may say that it can and fail: what it needs of Google's services is not on every phone.
    const found = await native?.detect(video).catch(() => []);
    if (found && found.length > 0) return found.map(({ rawValue }) => rawValue);
    if (!context) return [];
    // The square in the middle, which is what the screen shows.
    Object.assign(canvas, { width: side, height: side });
    context.drawImage(video, (side - width) / 2, (side - height) / 2);
    const { data } = context.getImageData(0, 0, side, side);
    try {
      return [decodeQR({ width: side, height: side, data }, { timeLimit: PATIENCE })];
    } catch {
      return []; // no code in it, or none that can be read
    }
  };
}

async function browsers(): Promise<BarcodeDetector | null> {
  const Detector = (globalThis as { BarcodeDetector?: BarcodeDetectors }).BarcodeDetector;
  if (!Detector) return null;
  const formats = await Detector.getSupportedFormats().catch((): readonly string[] => []);
  return formats.includes("qr_code") ? new Detector({ formats: ["qr_code"] }) : null;
}
