/** What the commune did not take, once its author has read why: it leaves the phone. */
import { isObject } from "../core/json.ts";
import { keysOf, write } from "./db.ts";
import { readOne, type Session } from "./records.ts";

/**
 * Forgets the refused leaves of a document, and the refused signatures of a pledge: nobody could open those any more.
 * What was saved upon them and waits goes up as it is.
 */
export async function dismiss(session: Session, db: string, id: string): Promise<void> {
  const known = await readOne(session, db, id);
  const refused = known?.own.filter(({ state }) => state === "refused") ?? [];
  const signed = refused.flatMap(({ body }) => (Array.isArray(body.acts) ? body.acts : []));
  const drawn = signed.flatMap((act) =>
    isObject(act) && act.signature ? [`signature:${act.signature}`] : [],
  );
  await write(session.db, ["own"], async (tx) => {
    const own = tx.objectStore("own");
    for (const one of [id, ...drawn])
      for (const leaf of await own.getAll(keysOf(db, one)))
        if (leaf.state === "refused") await own.delete([db, one, leaf.rev]);
  });
}
