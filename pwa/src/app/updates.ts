/** A new version of the app: fetched by the service worker, taken only when the person says so. */

export interface Updates {
  /** Bytes of the version that waits, null where none does. */
  readonly waiting: number | null;
  onWaiting(listener: (bytes: number | null) => void): () => void;
  /** Lets the new version in and starts it. */
  take(): void;
}

/** Registers the service worker and watches for its successors. */
export function watchUpdates(): Updates {
  const listeners = new Set<(bytes: number | null) => void>();
  let waiting: number | null = null;
  let next: ServiceWorker | null = null;
  const found = (worker: ServiceWorker | null) => {
    // The first worker of all takes over at once: there is nothing that it could interrupt.
    if (!worker || !navigator.serviceWorker.controller) return;
    next = worker;
    const channel = new MessageChannel();
    channel.port1.onmessage = ({ data }: MessageEvent<number>) => {
      waiting = data;
      for (const listener of listeners) listener(waiting);
    };
    worker.postMessage("size", [channel.port2]);
  };
  if ("serviceWorker" in navigator) {
    navigator.serviceWorker
      .register("/sw.js", { updateViaCache: "none" })
      .then((registration) => {
        found(registration.waiting);
        registration.addEventListener("updatefound", () => {
          const worker = registration.installing;
          worker?.addEventListener("statechange", () => worker.state === "installed" && found(worker));
        });
      })
      .catch(() => {}); // plain http, or switched off: checkDevice() says what that means
  }
  return {
    get waiting() {
      return waiting;
    },
    onWaiting(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    take() {
      navigator.serviceWorker.addEventListener("controllerchange", () => location.reload());
      next?.postMessage("take");
    },
  };
}
