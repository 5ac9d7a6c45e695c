/** The camera at the back of the phone, while somebody looks through it: opened by a button, closed at once after. */
import { decoder } from "./decoder.ts";

/** Why it did not open. denied: not allowed. none: the phone or the browser has no camera. busy: another app has it. */
export type CameraProblem = "denied" | "none" | "busy";

/** Between two pictures: the screen goes on, and the phone stays cool. */
const REST = 60;

/**
 * Shows the camera in `video` and calls `hear` with the text of each code that it sees, one after the other, until the
 * function that is returned is called. `ended`: something else took the camera. Rejects with a `CameraProblem`.
 */
export async function openCamera(
  video: HTMLVideoElement,
  hear: (text: string) => Promise<void>,
  ended: () => void,
): Promise<() => void> {
  const stream = await opened();
  let on = true;
  const close = () => {
    on = false;
    for (const track of stream.getTracks()) track.stop();
    video.srcObject = null;
  };
  for (const track of stream.getTracks()) track.addEventListener("ended", () => on && ended());
  video.srcObject = stream;
  // It plays by its attribute where this is refused; a picture that never comes is one without a code.
  video.play().catch(() => {});
  const look = await decoder();
  const next = async () => {
    if (!on) return;
    for (const text of await look(video)) if (on) await hear(text);
    setTimeout(next, REST);
  };
  next();
  return close;
}

async function opened(): Promise<MediaStream> {
  // Absent where the page has no https, and in some other apps' own browsers.
  if (!navigator.mediaDevices?.getUserMedia) throw "none" satisfies CameraProblem;
  const video = { facingMode: "environment", width: { ideal: 1280 }, height: { ideal: 720 } };
  return navigator.mediaDevices.getUserMedia({ video }).catch((error: unknown) => {
    throw problemOf(error instanceof DOMException ? error.name : "");
  });
}

function problemOf(name: string): CameraProblem {
  if (name === "NotAllowedError" || name === "SecurityError") return "denied";
  return name === "NotFoundError" || name === "OverconstrainedError" ? "none" : "busy";
}
