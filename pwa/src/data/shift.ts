/**
 * The phone's clock was wrong: own unsent stamps and times move by the difference, under new revisions, and the
 * clock goes on from what the server accepts. What the server has seen, and what others wrote, stays as it is.
 *
 * Encryption comes first, then one transaction, as in save.ts. A form may be saved, a record handed to a courier or
 * the clock put right in another tab in between: the transaction finds the leaves that are meant as they were, or
 * everything is done again.
 */
import type { Act } from "../core/documents.ts";
import type { Json, JsonObject } from "../core/json.ts";
import { digest, generation, tips } from "../core/revision.ts";
import { type Move, parseStamp, remapped, type Stamps } from "../core/stamps.ts";
import { keyOf } from "./commit.ts";
import { FieldError } from "./contract.ts";
import {
  type Clock,
  type Fresh,
  type Keys,
  type Meta,
  type Moved,
  meta,
  type Own,
  type Write,
  write,
} from "./db.ts";
import type { Batch } from "./gather.ts";
import { minted, type Prepared, prepare, type Revision } from "./outgoing.ts";
import { type Leaf, openOwn, type Session } from "./records.ts";
import { instant } from "./save.ts";

/**
 * The server said how far the phone's clock is off: everything unsent moves, and the clock with it. What had left the
 * phone before (but not only in `refused`, the request that was just answered so) may be on the server under its
 * revision: that is asked first, or one visit would stand there twice, at two times.
 */
export async function shiftAll(
  session: Session,
  skew: number,
  { leaves: refused, offset }: Pick<Batch, "leaves" | "offset">,
): Promise<void> {
  const stayed = new Set(refused.filter((leaf) => !hasLeft(leaf)).map((leaf) => String(keyOf(leaf))));
  const choose = (all: readonly Own[]): Chosen => {
    const own = all.filter((leaf) => leaf.state === "unsent" && isToMove(leaf));
    const asked = own.filter(
      (leaf) => leaf.below || leaf.carried !== undefined || (leaf.sent && !stayed.has(String(keyOf(leaf)))),
    );
    return { own: own.filter((leaf) => !asked.includes(leaf)), asked };
  };
  await shift(session, choose, () => by(skew), { off: { skew, offset } });
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
  // Only what lies ahead: a clock that was put right meanwhile gave stamps above its wrong ones, but right times.
  const back = ({ fresh: { stamps } }: Own): Turn => {
    const ahead = Math.max(...stamps.map((stamp) => parseStamp(stamp).ms)) - server;
    return () => (ms) => (ms > server ? Math.min(server, ms - ahead) : ms);
  };
  await shift(session, among(db, named), back, { server });
}

/** The server has never had these: those that waited for this answer move now. */
export async function shiftLate(
  session: Session,
  db: string,
  missing: readonly (readonly [id: string, rev: string])[],
): Promise<void> {
  const named = missing.map(([id, rev]) => ({ id, rev }));
  const choose = (all: readonly Own[]): Chosen => ({
    own: among(db, named)(all).own.filter(({ late }) => late !== undefined),
    asked: [],
  });
  // What was saved upon a late one was told by a clock that was right again; only its stamp had to lie above that.
  const turn: (leaf: Own) => Turn =
    ({ late = 0, right, saved }) =>
    (now) =>
    (ms, told) =>
      isAmong(right, told) ? Math.min(ms, saved) : by(late)(now)(ms, told);
  await shift(session, choose, turn, {});
}

const isAmong = (right: Fresh | undefined, told: string) =>
  right !== undefined && (right.stamps.includes(told) || right.acts.includes(told));

/** Those of these that are still here, and to move. */
function among(db: string, named: readonly { readonly id: string; readonly rev: string }[]): Choose {
  const keys = new Set(named.map(({ id, rev }) => String(keyOf({ db, id, rev }))));
  return (all) => ({ own: all.filter((leaf) => keys.has(String(keyOf(leaf))) && isToMove(leaf)), asked: [] });
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

/** What is meant, among all own leaves: what moves, and what the server is asked for before it moves by as much. */
type Choose = (all: readonly Own[]) => Chosen;
interface Chosen {
  readonly own: readonly Own[];
  readonly asked: readonly Own[];
}

interface How {
  /** How far the clock moves that went by this offset: one that goes by another one was put right meanwhile. */
  readonly off?: { readonly skew: number; readonly offset: number };
  /** The server's clock (milliseconds), where stamps of the phone's own turned out to be ahead of it. */
  readonly server?: number;
}

const TRIES = 5;

/** Raises FieldError `not_saved` where forms are saved all the time, with nothing moved. */
async function shift(session: Session, choose: Choose, turn: (leaf: Own) => Turn, how: How): Promise<void> {
  for (let left = TRIES; left > 0; left--) {
    const [clock, keys, all] = await Promise.all([
      meta(session.db, "clock"),
      meta(session.db, "keys"),
      session.db.getAll("own"),
    ]);
    if (!clock || !keys || (how.off && how.off.offset !== clock.offset)) return;
    const chosen = choose(all);
    if (chosen.own.length === 0 && !how.off && how.server === undefined) return;
    const now = session.env.now() + clock.offset + (how.off?.skew ?? 0);
    const turned = (leaf: Own) => turn(leaf)(how.server ?? now);
    const moving = chosen.own.map((leaf) => movedLeaf(session, keys, leaf, turned(leaf), now));
    const moved = await Promise.all(moving);
    const done = await write(session.db, ["own", "outbox", "meta"], async (tx) => {
      const since = await tx.objectStore("own").getAll();
      const { offset } = (await tx.objectStore("meta").get("clock")) as Clock;
      if (offset !== clock.offset || told(choose(since)) !== told(chosen)) return false;
      await put(tx, moved, since, chosen.asked, how);
      return true;
    });
    if (done) return;
  }
  throw new FieldError("not_saved", "other tabs keep saving");
}

/** All of it but the bodies: a revision says one thing. */
const told = (chosen: Chosen) => JSON.stringify(chosen, (key, value) => (key === "body" ? undefined : value));

/** A leaf, and what takes its place. */
interface MovedLeaf extends Prepared {
  readonly old: Own;
  readonly news: Moved;
}

async function movedLeaf(
  session: Session,
  keys: Keys,
  old: Own,
  move: Move,
  now: number,
): Promise<MovedLeaf> {
  const { body } = await openOwn(session, old);
  const { fresh, ...became } = movedBody(body, old.fresh, move);
  const revision = { ...next(session, old), body: became.body };
  const line = old.revs.slice(0, old.fresh.stamps.length); // each save gave one
  const news: Moved = { rev: revision.rev, line, stamps: became.stamps, times: became.times };
  const { own, outgoing } = await prepare(session, keys, revision, fresh, now);
  const saved = move(old.saved, old.fresh.stamps[old.fresh.stamps.length - 1] ?? "");
  const { below } = old; // where it moved without asking for those, they may be there still
  return { old, news, own: { ...own, saved, ...(below && !old.late ? { below } : {}) }, outgoing };
}

async function put(
  tx: Write<"own" | "outbox" | "meta">,
  moved: readonly MovedLeaf[],
  all: readonly Own[],
  asked: readonly Own[],
  { off, server }: How,
): Promise<void> {
  const skew = off?.skew ?? 0;
  let last = "";
  const news: Moved[] = [];
  const onTop = new Set(tips(all).map(({ rev }) => rev));
  for (const { old, news: one, own, outgoing } of moved) {
    await tx.objectStore("own").delete(keyOf(old));
    await tx.objectStore("outbox").delete(keyOf(old));
    if (!onTop.has(old.rev)) continue; // it moves within its child: beside that, it would tell one visit at two times
    await tx.objectStore("own").put(own);
    if (outgoing) await tx.objectStore("outbox").put(outgoing);
    news.push(one);
    for (const stamp of own.fresh.stamps) if (stamp > last) last = stamp;
  }
  if (news.length > 0) {
    const known = ((await tx.objectStore("meta").get("moved")) ?? []) as Meta["moved"];
    await tx.objectStore("meta").put([...known.slice(-KEPT), ...news], "moved");
  }
  for (const leaf of asked) await tx.objectStore("own").put({ ...leaf, late: (leaf.late ?? 0) + skew });
  const before = (await tx.objectStore("meta").get("clock")) as Clock;
  // Forgetting the wrong stamps is the point; what is kept is above everything that is still to be sent.
  const wrong =
    skew !== 0 || (server !== undefined && before.last !== "" && parseStamp(before.last).ms > server);
  const kept = wrong || last > before.last ? last : before.last;
  await tx.objectStore("meta").put({ last: kept, offset: before.offset + skew }, "clock");
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
