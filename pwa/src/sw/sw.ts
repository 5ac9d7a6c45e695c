/// <reference lib="webworker" />
import { keepShared } from "../app/shared.ts";
import { handInAll } from "../data/worker.ts";
import { SYNC_TAG } from "../data/world.ts";

/**
 * The app without a network: everything is kept at the first visit, and a new version is kept whole beside the old
 * one until the person takes it. Answers navigation for `/` and `/join` alone; the office and the data never pass
 * through here.
 */
declare const self: ServiceWorkerGlobalScope;
/** Injected by build.mjs: the digest of all files kept, and their addresses with their bytes as they travel. */
declare const __VERSION__: string;
declare const __PRECACHE__: Readonly<Record<string, number>>;

const PREFIX = "camket-app-";
const CACHE = `${PREFIX}${__VERSION__}`;
const FILES = Object.keys(__PRECACHE__);

interface SyncEvent extends ExtendableEvent {
  readonly tag: string;
}

self.addEventListener("install", (event) => {
  event.waitUntil(Promise.all(FILES.map(keep)));
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
  if (request.method === "POST" && request.mode === "navigate" && url.pathname === "/") {
    // A file that another app shared with this one; where it could not be kept, the screen stands empty.
    const kept = keepShared(request).catch(() => {});
    event.respondWith(kept.then(() => Response.redirect("/#/courier", 303)));
    return;
  }
  if (request.method !== "GET" || url.origin !== self.location.origin) return;
  const shell = request.mode === "navigate" && (url.pathname === "/" || url.pathname === "/join");
  if (!shell && !FILES.includes(url.pathname)) return;
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

/** From the version before where it has the file, else from the server. Rejects where that does not answer well. */
async function keep(path: string): Promise<void> {
  const cache = await caches.open(CACHE);
  const same = await inherited(path);
  // "reload": what an HTTP cache holds may be of another version.
  if (same) await cache.put(path, same);
  else await cache.add(new Request(path, { cache: "reload" }));
}

/** An asset's name carries its digest: under the same name lies the same file. */
async function inherited(path: string): Promise<Response | undefined> {
  if (!path.startsWith("/assets/")) return undefined;
  const others = (await caches.keys()).filter((name) => name.startsWith(PREFIX) && name !== CACHE);
  const found = await Promise.all(others.map((name) => caches.match(path, { cacheName: name })));
  return found.find((answer) => answer !== undefined);
}

/** Bytes that this version took over the network, asked while it waits beside the one before. */
async function size(): Promise<number> {
  const had = await Promise.all(FILES.map(inherited));
  return FILES.reduce((sum, path, i) => sum + (had[i] ? 0 : (__PRECACHE__[path] ?? 0)), 0);
}
