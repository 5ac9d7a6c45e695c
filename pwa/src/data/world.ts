/** What a page and the service worker have in common of the world. */
import type { Channel, Env } from "./env.ts";

type Shared = Omit<Env, "wake" | "device" | "language">;

export function world(): Shared {
  return {
    now: Date.now,
    random: (length) => crypto.getRandomValues(new Uint8Array(length)),
    subtle: crypto.subtle,
    indexedDB,
    fetch: (path, init) => fetch(path, init),
    transferred,
    alone,
    channel: channel(),
    after: (ms, call) => {
      const timer = setTimeout(call, ms);
      return () => clearTimeout(timer);
    },
    weakLink,
  };
}

function transferred(path: string): number | null {
  const url = new URL(path, location.origin).href;
  const last = performance.getEntriesByName(url, "resource").pop() as PerformanceResourceTiming | undefined;
  // The browser keeps 250 of these and then no more.
  performance.clearResourceTimings();
  return last && last.transferSize > 0 ? last.transferSize : null;
}

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
}

function weakLink(): boolean {
  const connection = (navigator as unknown as { connection?: Connection }).connection;
  // Where the browser does not tell (Safari, Firefox), small batches cost little.
  if (!connection) return true;
  return connection.saveData === true || connection.effectiveType !== "4g";
}
