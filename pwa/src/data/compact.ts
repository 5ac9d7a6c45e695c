/**
 * Pages pile up, one for each part that brought rows, and old ones hold bodies that no head points to any more.
 * When they are many for what they hold, or hold something that must go, the database's pages are written anew.
 * Only the replicator writes pages, and only one replicator runs, so nobody else's page can be lost here.
 */
import type { JsonObject } from "../core/json.ts";
import { encryptJson } from "./crypto.ts";
import { keysOf, write } from "./db.ts";
import { pagePlace, readAll, type Session } from "./records.ts";

/** Bodies of one new page: about 30 kB, a few milliseconds to open on a cheap phone. */
const FULL = 100;
/** Pages that may lie about beyond what is needed. */
const SLACK = 12;

/** Rewrites the pages of the databases that need it. */
export async function compact(session: Session): Promise<void> {
  for (const { name, rewrite } of await session.db.getAll("databases")) {
    const [pages, heads] = await Promise.all([
      session.db.getAllKeysFromIndex("pages", "db", name),
      session.db.count("heads", keysOf(name)),
    ]);
    if (rewrite) await (await import("./apart.ts")).erased.forgetForms(session);
    if (rewrite || pages.length > Math.ceil(heads / FULL) * 2 + SLACK) await rewritten(session, name, pages);
  }
}

async function rewritten(session: Session, db: string, old: readonly number[]): Promise<void> {
  const known = [...(await readAll(session, db)).values()].flatMap(({ id, winner }) =>
    winner ? [{ id, rev: winner.rev, body: winner.body }] : [],
  );
  const pages = await Promise.all(
    slices(known, FULL).map(async (bodies) => {
      const whole: Record<string, JsonObject> = Object.fromEntries(bodies.map(({ id, body }) => [id, body]));
      return { bodies, sealed: await encryptJson(session.env, session.key, whole, pagePlace(db)) };
    }),
  );
  await write(session.db, ["pages", "heads", "databases"], async (tx) => {
    for (const { bodies, sealed } of pages) {
      const page = await tx.objectStore("pages").add({ db, count: bodies.length, sealed });
      for (const { id } of bodies) {
        const head = await tx.objectStore("heads").get([db, id]);
        if (head) await tx.objectStore("heads").put({ ...head, page });
      }
    }
    for (const n of old) await tx.objectStore("pages").delete(n);
    const database = await tx.objectStore("databases").get(db);
    if (database) await tx.objectStore("databases").put({ ...database, rewrite: false });
  });
  for (const n of old) session.pages.delete(n);
}

function slices<T>(all: readonly T[], size: number): T[][] {
  const parts: T[][] = [];
  for (let at = 0; at < all.length; at += size) parts.push(all.slice(at, at + size));
  return parts;
}
