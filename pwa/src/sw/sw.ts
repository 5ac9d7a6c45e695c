/// <reference lib="webworker" />
export {};

declare const self: ServiceWorkerGlobalScope;
/** Injected by build.mjs: the digest of all files kept, and their addresses. */
declare const __VERSION__: string;
declare const __PRECACHE__: readonly string[];

const CACHE = `camket-${__VERSION__}`;

self.addEventListener("install", (event) => {
  event.waitUntil(caches.open(CACHE).then((cache) => cache.addAll([...__PRECACHE__])));
});
