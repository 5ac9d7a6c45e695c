/**
 * The phone's clock was wrong: own unsent stamps and times move by the difference, under new revisions, and the
 * clock goes on from what the server accepts. What the server has seen, and what others wrote, stays as it is.
 */
import type { Act } from "../core/documents.ts";
import type { Json, JsonObject } from "../core/json.ts";
import { digest, generation } from "../core/revision.ts";
import { parseStamp, remapped, type Stamps } from "../core/stamps.ts";
import { type Clock, type Fresh, meta, type Own, write } from "./db.ts";
import { minted, prepare } from "./outgoing.ts";
import { openOwn, type Session } from "./records.ts";
import { instant } from "./save.ts";

/** The server said how far the phone's clock is off: everything unsent moves, and the clock with it. */
export async function shiftAll(session: Session, skew: number): Promise<void> {
  const own = (await session.db.getAll("own")).filter(({ state, again }) => state === "unsent" && !again);
  await shift(session, own, () => skew, skew);
}

/**
 * Single records that the server refused for their time though the phone's clock is right by now: those move back
 * to the server's time.
 */
export async function shiftSome(
  session: Session,
  db: string,
  named: readonly { readonly id: string; readonly rev: string }[],
  server: number,
): Promise<void> {
  const found = await Promise.all(named.map(({ id, rev }) => session.db.get("own", [db, id, rev])));
  const own = found.filter((leaf): leaf is Own => leaf !== undefined);
  const back = ({ stamps }: Fresh) =>
    Math.min(0, server - Math.max(...stamps.map((stamp) => parseStamp(stamp).ms)));
  await shift(session, own, back, 0);
}

async function shift(
  session: Session,
  own: readonly Own[],
  by: (fresh: Fresh) => number,
  skew: number,
): Promise<void> {
  const [clock, keys] = await Promise.all([meta(session.db, "clock"), meta(session.db, "keys")]);
  if (!clock || !keys) return;
  const now = session.env.now() + clock.offset + skew;
  const moved = await Promise.all(
    own.map(async (leaf) => {
      const { body } = await openOwn(session, leaf);
      const change = movedBody(body, leaf.fresh, by(leaf.fresh));
      const rev = minted(session, generation(leaf.rev));
      const revs = [digest(rev), ...leaf.revs.slice(1)];
      const { db, id, depth } = leaf;
      const revision = { db, id, rev, revs, depth, body: change.body };
      return { old: leaf, ...(await prepare(session, keys, revision, change.fresh, now)) };
    }),
  );
  await write(session.db, ["own", "outbox", "meta"], async (tx) => {
    let last = "";
    for (const { old, own: next, outgoing } of moved) {
      const key = [old.db, old.id, old.rev] as [string, string, string];
      if (!(await tx.objectStore("own").get(key))) continue; // another tab saved a child meanwhile
      await tx.objectStore("own").delete(key);
      await tx.objectStore("outbox").delete(key);
      await tx.objectStore("own").put({ ...next, saved: old.saved + skew });
      if (outgoing) await tx.objectStore("outbox").put(outgoing);
      for (const stamp of next.fresh.stamps) if (stamp > last) last = stamp;
    }
    const before = (await tx.objectStore("meta").get("clock")) as Clock;
    // Forgetting the wrong stamps is the point; what is kept is above everything that is still to be sent.
    const reset = skew === 0 ? before.last : last;
    await tx.objectStore("meta").put({ last: reset, offset: before.offset + skew }, "clock");
  });
}

/** A body whose fresh stamps and times moved. */
export function movedBody(
  body: JsonObject,
  fresh: Fresh,
  by: number,
): { readonly body: JsonObject; readonly fresh: Fresh } {
  const stamps = body.stamps as Stamps;
  const others = Object.values(stamps).filter((stamp) => !fresh.stamps.includes(stamp));
  const map = remapped(fresh.stamps, others, by);
  const moved = Object.fromEntries(
    Object.entries(stamps).map(([field, stamp]) => [field, map.get(stamp) ?? stamp]),
  );
  const acts = (body.acts as readonly Act[] | undefined)?.map((act) =>
    fresh.acts.includes(act.id) ? { ...act, at: instant(Date.parse(act.at) + by) } : act,
  );
  // What an unsent value replaced may be unsent too: a stamp left in the future would hide every later value.
  const asks = body.asks
    ? (JSON.parse(JSON.stringify(body.asks), (_, value) => map.get(value) ?? value) as Json)
    : undefined;
  return {
    body: {
      ...body,
      stamps: moved,
      ...(acts ? { acts: acts as unknown as Json } : {}),
      ...(asks === undefined ? {} : { asks }),
    },
    fresh: { ...fresh, stamps: fresh.stamps.map((stamp) => map.get(stamp) ?? stamp) },
  };
}
