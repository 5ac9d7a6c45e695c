/** The world as a page has it. */
import type { Field } from "./contract.ts";
import type { DeviceFacts, Env } from "./env.ts";
import { PhoneField } from "./field.ts";
import { SYNC_TAG, world } from "./world.ts";

/** The data behind the screens of this page. */
export function createField(language: () => string): Field {
  const env = browserEnv(language);
  const field = new PhoneField(env);
  // A signal came back, or the person did: both are moments to sync at.
  addEventListener("online", () => field.wake());
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "visible") field.wake();
    else field.hidden().catch(() => {}); // the timer and the next visit remain
  });
  field.wake();
  return field;
}

function browserEnv(language: () => string): Env {
  return { ...world(), wake, language, device, shrink, marks };
}

/** Loaded with the first photograph. */
const shrink: Env["shrink"] = async (picture, less) => (await import("./shrink.ts")).shrink(picture, less);

const MARKS = "camket-kept";

const marks: Env["marks"] = {
  read: () => {
    try {
      return JSON.parse(localStorage.getItem(MARKS) ?? "{}");
    } catch {
      return {}; // forbidden, or damaged: then a loss cannot be told from a new phone
    }
  },
  write: (all) => {
    try {
      localStorage.setItem(MARKS, JSON.stringify(all));
    } catch {
      // forbidden, or full
    }
  },
};

interface SyncRegistration extends ServiceWorkerRegistration {
  readonly sync?: { register(tag: string): Promise<void> };
}

function wake(): void {
  if (!("serviceWorker" in navigator)) return;
  navigator.serviceWorker.ready
    .then((registration) => (registration as SyncRegistration).sync?.register(SYNC_TAG))
    .catch(() => {}); // not allowed, or not there: the timer and the button remain
}

/** Apps that open links in a browser of their own, whose storage nobody finds again. */
const IN_APP: readonly (readonly [RegExp, string])[] = [
  [/\bZalo\b/i, "Zalo"],
  [/\bFBAN|\bFBAV|\bMessenger/i, "Facebook"],
  [/\bInstagram/i, "Instagram"],
  [/\bLine\//i, "LINE"],
  [/\bTikTok|musical_ly|\bBytedanceWebview/i, "TikTok"],
  [/; wv\)/, "WebView"],
];

const device: DeviceFacts = {
  secure: () => isSecureContext && "subtle" in crypto && "serviceWorker" in navigator,
  persist: async () => {
    if (!navigator.storage?.persist) return false;
    return (await navigator.storage.persisted()) || navigator.storage.persist();
  },
  estimate: async () => {
    const { usage, quota } = (await navigator.storage?.estimate?.()) ?? {};
    return { used: usage ?? null, quota: quota ?? null };
  },
  inApp: () => IN_APP.find(([sign]) => sign.test(navigator.userAgent))?.[1] ?? null,
  // iPads call themselves Macs, but no Mac has a touch screen.
  ios: () =>
    /iPhone|iPad|iPod/.test(navigator.userAgent) ||
    (/Macintosh/.test(navigator.userAgent) && navigator.maxTouchPoints > 1),
  installed: () => matchMedia("(display-mode: standalone)").matches,
};
