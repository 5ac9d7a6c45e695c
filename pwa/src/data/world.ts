/** What a page and the service worker have in common of the world. */
import type { Channel, Env } from "./env.ts";

/** The tag of Background Sync. */
export const SYNC_TAG = "camket-hand-in";

type Shared = Omit<Env, "wake" | "device" | "language" | "shrink" | "marks">;

export function world(): Shared {
  return {
    now: Date.now,
    random: (length) => crypto.getRandomValues(new Uint8Array(length)),
    subtle: crypto.subtle,
    indexedDB,
    fetch: (path, init) => fetch(path, init),
    transferred: sizes(),
    alone,
    channel: channel(),
    after: (ms, call) => {
      const timer = setTimeout(call, ms);
      return () => clearTimeout(timer);
    },
    offline: () => navigator.onLine === false,
    weakLink,
    metered,
  };
}

/** What answers took on the link, as the browser tells it a moment after they end. */
function sizes(): Shared["transferred"] {
  const told = new Map<string, number[]>();
  if (typeof PerformanceObserver === "undefined") return async () => null;
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries() as PerformanceResourceTiming[]) {
      const { origin, pathname } = new URL(entry.name);
      if (origin !== location.origin || !OURS.test(pathname)) continue;
      told.set(pathname, [...(told.get(pathname) ?? []), entry.transferSize]);
    }
  }).observe({ type: "resource" });
  return async (path) => {
    const [pathname = ""] = path.split("?");
    for (const wait of [0, 100, 1000]) {
      await new Promise((resolve) => setTimeout(resolve, wait));
      const size = told.get(pathname)?.shift();
      if (size !== undefined) return size || null; // 0: from a cache, or another origin
    }
    return null;
  };
}

const OURS = /^\/(db\/|sealed$)/;

async function alone<T>(name: string, work: () => Promise<T>): Promise<T | null> {
  // Safari had no Web Locks before 15.4; there one tab is the rule anyway, for the app is installed.
  if (!("locks" in navigator)) return work();
  return navigator.locks.request(name, { ifAvailable: true }, (lock) => (lock ? work() : null));
}

function channel(): Channel {
  if (typeof BroadcastChannel === "undefined") return { post: () => {}, listen: () => () => {} };
  const open = new BroadcastChannel("camket");
  return {
    post: (message) => open.postMessage(message),
    listen: (hear) => {
      const on = (event: MessageEvent) => hear(String(event.data));
      open.addEventListener("message", on);
      return () => open.removeEventListener("message", on);
    },
  };
}

interface Connection {
  readonly effectiveType?: string;
  readonly saveData?: boolean;
  readonly type?: string;
}

const connectionOf = () => (navigator as unknown as { connection?: Connection }).connection;

function metered(): boolean {
  const connection = connectionOf();
  if (connection?.saveData) return true;
  const type = connection?.type;
  if (type && type !== "unknown") return type !== "wifi" && type !== "ethernet";
  // Only Chrome on Android tells. Another phone may be on mobile data; a computer has none.
  return /Android|iPhone|iPad|Mobile/.test(navigator.userAgent);
}

function weakLink(): boolean {
  const connection = connectionOf();
  // Where the browser does not tell (Safari, Firefox), small batches cost little.
  if (!connection) return true;
  return connection.saveData === true || connection.effectiveType !== "4g";
}
