/** A file that another app shared with this one: the service worker keeps it until the screen for it stands. */

export const SHARED = "camket-shared";

/** Keeps the first file of a share; called in the service worker. */
export async function keepShared(request: Request): Promise<void> {
  const file = [...(await request.formData()).values()].find((value) => value instanceof File);
  if (file) await (await caches.open(SHARED)).put("/", new Response(file));
}

/** The text that was shared, once; null for none. */
export async function takeShared(): Promise<string | null> {
  if (typeof caches === "undefined") return null;
  const cache = await caches.open(SHARED);
  const kept = await cache.match("/");
  if (!kept) return null;
  await cache.delete("/");
  return kept.text();
}
