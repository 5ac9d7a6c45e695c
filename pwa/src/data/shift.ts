/**
 * The phone's clock was wrong: own unsent stamps and times move by the difference, under new revisions, and the
 * clock goes on from what the server accepts. What the server has seen, and what others wrote, stays as it is.
 */
import type { Act } from "../core/documents.ts";
import type { Json, JsonObject } from "../core/json.ts";
import { digest, generation, tips } from "../core/revision.ts";
import { type Move, parseStamp, remapped, type Stamps } from "../core/stamps.ts";
import { keyOf } from "./commit.ts";
import { type Clock, type Fresh, type Meta, type Moved, meta, type Own, write } from "./db.ts";
import { minted, prepare, type Revision } from "./outgoing.ts";
import { type Leaf, openOwn, type Session } from "./records.ts";
import { instant } from "./save.ts";

/**
 * The server said how far the phone's clock is off: everything unsent moves, and the clock with it. What had left the
 * phone before (but not only in `refused`, the request that was just answered so) may be on the server under its
 * revision: that is asked first, or one visit would stand there twice, at two times.
 */
export async function shiftAll(session: Session, skew: number, refused: readonly Own[]): Promise<void> {
  const stayed = new Set(refused.filter((leaf) => !hasLeft(leaf)).map((leaf) => String(keyOf(leaf))));
  const own = (await session.db.getAll("own")).filter((leaf) => leaf.state === "unsent" && isToMove(leaf));
  const gone = own.filter((leaf) => leaf.below || (hasLeft(leaf) && !stayed.has(String(keyOf(leaf)))));
  const here = own.filter((leaf) => !gone.includes(leaf));
  await shift(session, here, () => by(skew), { skew, asked: gone });
}

/** What the server has received once, of others or of this phone, was told by a clock that was right to it. */
const isToMove = ({ again, lost }: Own) => !again && !lost;

const hasLeft = ({ sent, carried }: Own) => sent === true || carried !== undefined;

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
  const own = await found(session, db, named);
  // Only what lies ahead: a clock that was put right meanwhile gave stamps above its wrong ones, but right times.
  const back = ({ fresh: { stamps } }: Own): Turn => {
    const ahead = Math.max(...stamps.map((stamp) => parseStamp(stamp).ms)) - server;
    return () => (ms) => (ms > server ? Math.min(server, ms - ahead) : ms);
  };
  await shift(session, own, back, { server });
}

/** The server has never had these: those that waited for this answer move now. */
export async function shiftLate(
  session: Session,
  db: string,
  missing: readonly (readonly [id: string, rev: string])[],
): Promise<void> {
  const named = missing.map(([id, rev]) => ({ id, rev }));
  const own = (await found(session, db, named)).filter(({ late }) => late !== undefined);
  // What was saved upon a late one was told by a clock that was right again; only its stamp had to lie above that.
  const turn: (leaf: Own) => Turn =
    ({ late = 0, right, saved }) =>
    (now) =>
    (ms, told) =>
      isAmong(right, told) ? Math.min(ms, saved) : by(late)(now)(ms, told);
  if (own.length > 0) await shift(session, own, turn, {});
}

const isAmong = (right: Fresh | undefined, told: string) =>
  right !== undefined && (right.stamps.includes(told) || right.acts.includes(told));

async function found(
  session: Session,
  db: string,
  named: readonly { readonly id: string; readonly rev: string }[],
): Promise<Own[]> {
  const own = await Promise.all(named.map(({ id, rev }) => session.db.get("own", [db, id, rev])));
  return own.filter((leaf): leaf is Own => leaf !== undefined && isToMove(leaf));
}

/** How times move, given the time that it is (milliseconds, by the server). */
type Turn = (now: number) => Move;

/**
 * By so much. What would come to lie in the future was not told by this clock: it stands already where it belongs (a
 * time from before the clock fell back to the year 2000, a stamp that was lifted above such a one).
 */
const by =
  (skew: number): Turn =>
  (now) =>
  (ms) =>
    skew > 0 && ms + skew > now + SLACK ? Math.min(ms, now) : ms + skew;

const SLACK = 5 * 60_000;

interface How {
  /** How far the clock moves. */
  readonly skew?: number;
  /** What is asked for before it moves by as much. */
  readonly asked?: readonly Own[];
  /** The server's clock (milliseconds), where stamps of the phone's own turned out to be ahead of it. */
  readonly server?: number;
}

async function shift(
  session: Session,
  own: readonly Own[],
  turn: (leaf: Own) => Turn,
  how: How,
): Promise<void> {
  const { skew = 0, asked = [], server } = how;
  const [clock, keys] = await Promise.all([meta(session.db, "clock"), meta(session.db, "keys")]);
  if (!clock || !keys) return;
  const now = session.env.now() + clock.offset + skew;
  const moved = await Promise.all(
    own.map(async (leaf) => {
      const { body } = await openOwn(session, leaf);
      const { fresh, ...became } = movedBody(body, leaf.fresh, turn(leaf)(server ?? now));
      const revision = { ...next(session, leaf), body: became.body };
      const line = leaf.revs.slice(0, leaf.fresh.stamps.length); // each save gave one
      const news: Moved = { rev: revision.rev, line, stamps: became.stamps, times: became.times };
      return { old: leaf, news, ...(await prepare(session, keys, revision, fresh, now)) };
    }),
  );
  await write(session.db, ["own", "outbox", "meta"], async (tx) => {
    let last = "";
    const told: Moved[] = [];
    const onTop = new Set(tips(await tx.objectStore("own").getAll()).map(({ rev }) => rev));
    for (const { old, news, own: next, outgoing } of moved) {
      const key = keyOf(old);
      if (!(await tx.objectStore("own").get(key))) continue; // another tab saved a child meanwhile
      await tx.objectStore("own").delete(key);
      await tx.objectStore("outbox").delete(key);
      if (!onTop.has(old.rev)) continue; // it moves within its child: beside that, it would tell one visit at two times
      const { below } = old; // where it moved without asking for those, they may be there still
      const saved = turn(old)(server ?? now)(old.saved, old.fresh.stamps[old.fresh.stamps.length - 1] ?? "");
      await tx.objectStore("own").put({ ...next, saved, ...(below && !old.late ? { below } : {}) });
      if (outgoing) await tx.objectStore("outbox").put(outgoing);
      told.push(news);
      for (const stamp of next.fresh.stamps) if (stamp > last) last = stamp;
    }
    if (told.length > 0) {
      const known = ((await tx.objectStore("meta").get("moved")) ?? []) as Meta["moved"];
      await tx.objectStore("meta").put([...known.slice(-KEPT), ...told], "moved");
    }
    for (const leaf of asked) {
      const held = await tx.objectStore("own").get(keyOf(leaf));
      if (held) await tx.objectStore("own").put({ ...held, late: (held.late ?? 0) + skew });
    }
    const before = (await tx.objectStore("meta").get("clock")) as Clock;
    // Forgetting the wrong stamps is the point; what is kept is above everything that is still to be sent.
    const wrong =
      skew !== 0 || (server !== undefined && before.last !== "" && parseStamp(before.last).ms > server);
    const kept = wrong || last > before.last ? last : before.last;
    await tx.objectStore("meta").put({ last: kept, offset: before.offset + skew }, "clock");
  });
}

/**
 * The place of the revision that takes a leaf's. In its stead where nobody else can have seen it; where it has left
 * the phone on top of it, so that a copy that comes late is known, and closed where it was held.
 */
function next(session: Session, leaf: Own): Omit<Revision, "body"> {
  const { db, id, rev } = leaf;
  const left = leaf.carried !== undefined || leaf.late !== undefined;
  return { db, id, ...placed(leaf, minted(session, generation(rev) + (left ? 1 : 0))) };
}

/** Where a revision lies that took a leaf's place, in its stead or on top of it. */
function placed(
  { rev: old, revs, depth }: Omit<Leaf, "body">,
  rev: string,
): Pick<Leaf, "rev" | "revs" | "depth"> {
  const higher = generation(rev) - generation(old);
  return { rev, revs: [digest(rev), ...revs.slice(1 - higher)], depth: depth + higher };
}

/** How many leaves that moved before the last time are remembered. */
const KEPT = 500;

/**
 * What a form opened on, as it stands after all that moved since: what is saved upon it tells no times that are told
 * otherwise by now.
 */
export function standing(base: Leaf, moved: readonly Moved[]): Leaf {
  let { rev, revs, depth, body } = base;
  for (const { rev: now, line, stamps, times } of moved) {
    const at = line.indexOf(digest(rev));
    if (at >= 0) body = retold(body, new Map(stamps), new Map(times));
    if (at === 0) ({ rev, revs, depth } = placed({ rev, revs, depth }, now));
  }
  return { rev, revs, depth, body };
}

/** A body whose fresh stamps and times moved, and which of them became what. */
function movedBody(
  body: JsonObject,
  fresh: Fresh,
  move: Move,
): Pick<Moved, "stamps" | "times"> & { readonly body: JsonObject; readonly fresh: Fresh } {
  const stamps = body.stamps as Stamps;
  const others = Object.values(stamps).filter((stamp) => !fresh.stamps.includes(stamp));
  const map = remapped(fresh.stamps, others, move);
  const times = movedTimes((body.acts ?? []) as unknown as readonly Act[], fresh.acts, move);
  return {
    body: retold(body, map, times),
    fresh: { ...fresh, stamps: fresh.stamps.map((stamp) => map.get(stamp) ?? stamp) },
    ...{ stamps: [...map], times: [...times] },
  };
}

/** A body with other stamps in the place of these, and other times of these acts. */
function retold(
  body: JsonObject,
  map: ReadonlyMap<string, string>,
  times: ReadonlyMap<string, string>,
): JsonObject {
  const stamps = Object.entries(body.stamps as Stamps).map(([field, stamp]) => [
    field,
    map.get(stamp) ?? stamp,
  ]);
  const held = body.acts as readonly Act[] | undefined;
  const acts = held?.map((act) => ({ ...act, at: times.get(act.id) ?? act.at }));
  // What an unsent value replaced may be unsent too: a stamp left in the future would hide every later value.
  const asks = body.asks
    ? (JSON.parse(JSON.stringify(body.asks), (_, value) => map.get(value) ?? value) as Json)
    : undefined;
  return {
    ...body,
    stamps: Object.fromEntries(stamps) as JsonObject,
    ...(acts ? { acts: acts as unknown as Json } : {}),
    ...(asks === undefined ? {} : { asks }),
  };
}

/**
 * When acts were recorded, of which the ids come in the order in which that was. It stays: what a clock has told that
 * went too far ahead before it fell back comes to lie just before what was recorded after it.
 */
function movedTimes(acts: readonly Act[], fresh: readonly string[], move: Move): ReadonlyMap<string, string> {
  const told = new Map(acts.map(({ id, at }) => [id, Date.parse(at)]));
  const times = new Map<string, string>();
  let next: { readonly ms: number; readonly id: string; readonly was: number } | undefined;
  for (const id of [...fresh].reverse()) {
    const was = told.get(id);
    if (was === undefined) continue;
    let ms = Math.floor(move(was, id) / SECOND) * SECOND;
    const together = next?.was === was; // within one second: they stand by their ids, and go on to
    if (next && (ms > next.ms || (ms === next.ms && id > next.id && !together))) ms = next.ms - SECOND;
    times.set(id, instant(ms));
    next = { ms, id, was };
  }
  return times;
}

const SECOND = 1000;
