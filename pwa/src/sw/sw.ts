/// <reference lib="webworker" />
import { handInAll, SYNC_TAG } from "../data/worker.ts";

/**
 * The app without a network: everything is kept at the first visit, and a new version is kept whole beside the old
 * one until the person takes it. Answers navigation for `/` and `/join` alone; the office and the data never pass
 * through here.
 */
declare const self: ServiceWorkerGlobalScope;
/** Injected by build.mjs: the digest of all files kept, and their addresses. */
declare const __VERSION__: string;
declare const __PRECACHE__: readonly string[];

const PREFIX = "camket-app-";
const CACHE = `${PREFIX}${__VERSION__}`;

interface SyncEvent extends ExtendableEvent {
  readonly tag: string;
}

self.addEventListener("install", (event) => {
  // "reload": what an HTTP cache holds may be of another version.
  const requests = __PRECACHE__.map((path) => new Request(path, { cache: "reload" }));
  event.waitUntil(caches.open(CACHE).then((cache) => cache.addAll(requests)));
});

self.addEventListener("activate", (event) => {
  event.waitUntil(
    caches
      .keys()
      .then((names) => names.filter((name) => name.startsWith(PREFIX) && name !== CACHE))
      .then((old) => Promise.all(old.map((name) => caches.delete(name))))
      .then(() => self.clients.claim()),
  );
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== self.location.origin) return;
  const shell = request.mode === "navigate" && (url.pathname === "/" || url.pathname === "/join");
  if (!shell && !__PRECACHE__.includes(url.pathname)) return;
  const kept = caches
    .open(CACHE)
    .then((cache) => cache.match(shell ? "/" : url.pathname))
    .then((found) => found ?? fetch(request));
  event.respondWith(kept);
});

self.addEventListener("message", (event) => {
  if (event.data === "take") event.waitUntil(self.skipWaiting());
  if (event.data === "size") event.waitUntil(size().then((bytes) => event.ports[0]?.postMessage(bytes)));
});

self.addEventListener("sync", ((event: SyncEvent) => {
  if (event.tag === SYNC_TAG) event.waitUntil(handInAll(self));
}) as EventListener);

/** What this version took over the network: what it keeps, as the server said its length. */
async function size(): Promise<number> {
  const cache = await caches.open(CACHE);
  const kept = await Promise.all(__PRECACHE__.map((path) => cache.match(path)));
  const bytes = await Promise.all(kept.map(async (answer) => (await answer?.blob())?.size ?? 0));
  return bytes.reduce((sum, one) => sum + one, 0);
}
