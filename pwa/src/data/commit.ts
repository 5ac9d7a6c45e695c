/**
 * What each part of an answer does to the phone: one transaction a part, with its position in it, so that a cut
 * costs one part. An outcome touches only the revision that it names. All in one file: together they are what a sync
 * may do to a phone.
 */
import type { JsonObject } from "../core/json.ts";
import { descends } from "../core/revision.ts";
import { encryptJson } from "./crypto.ts";
import {
  type Database,
  isFull,
  keysOf,
  type Meta,
  type Own,
  type OwnState,
  type RevKey,
  type Write,
  write,
} from "./db.ts";
import { NoLink } from "./link.ts";
import type { Told } from "./overruled.ts";
import { type Bodies, openOwn, ownPlace, pagePlace, readOne, type Session } from "./records.ts";
import type { Outcome, Row } from "./wire.ts";
import { BadAnswer } from "./wire.ts";

/** What an own leaf becomes after an outcome. */
export function after(own: Own, is: Outcome["is"]): OwnState | "gone" {
  switch (is) {
    case "received":
    case "absorbed":
      // A signature has done its work: it never comes down again, and the phone must not keep it.
      return own.id.startsWith("signature:") ? "gone" : "received";
    case "quarantined":
      // Somebody else's record that the server had lost: it has it again, and decides by itself.
      return own.again ? "gone" : "held";
    case "forbidden":
    case "too_large":
      return "refused";
    case "later": // not now: it stays as it is
    case "clock":
      return "unsent"; // the next exchange says how wrong the clock was, and it moves (shift.ts)
    case "erased":
      return "gone";
  }
}

/** Applies outcomes of one database. Returns the own leaves that are on the server now. */
export async function commitOutcomes(
  session: Pick<Session, "db" | "env">,
  db: string,
  outcomes: readonly Outcome[],
): Promise<RevKey[]> {
  const received = await write(
    session.db,
    ["own", "outbox", "overruled", "heads", "databases", "meta", "drafts"],
    async (tx) => {
      const keys: RevKey[] = [];
      const reasons: string[] = [];
      for (const { id, rev, is, reason } of outcomes) {
        const own = await tx.objectStore("own").get([db, id, rev]);
        // Nobody would know what became of what was said to be saved here.
        if (reason && (is === "received" || (is === "erased" && own && !own.again))) reasons.push(reason);
        if (is === "erased") await erase(tx, db, id, rev);
        if (await isElsewhere(tx, db, { id, rev, is, reason }))
          await tx.objectStore("heads").delete([db, id]);
        if (is === "received" || is === "absorbed") await stand(tx, db, id, rev);
        if (!own) continue;
        const state = after(own, is);
        if (state === "unsent") continue;
        // The office has it, or will not have it: there is nothing left to hand in.
        await tx.objectStore("outbox").delete([db, id, rev]);
        if (state === "gone" || (state === "received" && (await isSettled(tx, own))))
          await tx.objectStore("own").delete([db, id, rev]);
        else {
          const { late: _, lost: __, ...known } = own; // the server has it as it is: it does not move any more
          await tx.objectStore("own").put({ ...known, state, reason });
        }
        if (state === "received") keys.push([db, id, rev]);
      }
      if (reasons.length > 0) await hear(tx, reasons, session.env.now());
      return keys;
    },
  );
  session.env.channel.post("records");
  return received;
}

/** The server has what these leaves were written upon: that moves with them no more (shift.ts). */
async function stand(tx: Write<"own">, db: string, id: string, rev: string): Promise<void> {
  for (const leaf of await tx.objectStore("own").getAll(keysOf(db, id))) {
    const known = leaf.below?.find((one) => one.rev === rev)?.fresh;
    if (!known) continue;
    const stamps = leaf.fresh.stamps.filter((stamp) => !known.stamps.includes(stamp));
    const acts = leaf.fresh.acts.filter((act) => !known.acts.includes(act));
    await tx.objectStore("own").put({ ...leaf, fresh: { stamps, acts } });
  }
}

/** What the server says of a record is for the volunteer to read: where it went, or that it was erased. */
async function hear(tx: Write<"meta">, reasons: readonly string[], at: number): Promise<void> {
  const before = ((await tx.objectStore("meta").get("said")) ?? []) as Meta["said"];
  const said = [...new Set(reasons)].map((reason) => ({ at, reason }));
  const others = before.filter((one) => !reasons.includes(one.reason));
  await tx.objectStore("meta").put([...others, ...said].slice(-3), "said");
}

/** Whether the winner that this phone shows already contains the leaf. */
async function isSettled(tx: Write<"heads">, { db, id, rev }: Own): Promise<boolean> {
  const head = await tx.objectStore("heads").get([db, id]);
  return head !== undefined && descends(head.rev, head.revs, rev);
}

/**
 * Whether a winner that the server had lost is for another hamlet by now, and no longer to be shown here. What it has
 * taken to another one it says with the reason; what waits for the office goes with its household where that has left.
 */
async function isElsewhere(
  tx: Write<"heads">,
  db: string,
  { id, rev, is, reason }: Outcome,
): Promise<boolean> {
  const heads = tx.objectStore("heads");
  if ((await heads.get([db, id]))?.rev !== rev) return false;
  if (is === "received" || is === "absorbed") return Boolean(reason);
  if (is !== "quarantined") return false;
  const of = /^(?:review:)?pledge:[^:]+:(.+)$/.exec(id)?.[1];
  const about = of ? [`household:${of}`, `unit:${of}`] : [id.replace(/^review:/, "")];
  const left = await Promise.all(about.map((one) => heads.get([db, one])));
  return left.some((head) => head?.page === null);
}

/** Erased means here too: the winner, the own leaves, the sealed records, half-filled forms, and soon the old pages. */
async function erase(
  tx: Write<"own" | "outbox" | "overruled" | "heads" | "databases" | "drafts">,
  db: string,
  id: string,
  rev: string,
): Promise<void> {
  const heads = tx.objectStore("heads");
  const head = await heads.get([db, id]);
  await heads.delete([db, id]);
  // Until its tombstone comes down, nothing more is said of a household; of what went with it the server may not know.
  if (id.startsWith("household:"))
    await heads.put({ db, id, rev, revs: [], ...head, page: null, erased: true });
  await tx.objectStore("own").delete(keysOf(db, id));
  await tx.objectStore("outbox").delete(keysOf(db, id));
  await tx.objectStore("overruled").delete([db, id]);
  for (const name of await tx.objectStore("drafts").getAllKeys())
    if (name.includes(id.slice(-26))) await tx.objectStore("drafts").delete(name);
  const database = await tx.objectStore("databases").get(db);
  if (database) await tx.objectStore("databases").put({ ...database, rewrite: true });
}

/** Where a body may be found that the server did not send back. */
export type Sent = ReadonlyMap<string, JsonObject>;
export const sentKey = (id: string, rev: string) => `${id} ${rev}`;

type Position = Partial<Pick<Database, "position" | "since">>;

/** Takes over rows of one database, and the position behind them. */
export async function commitRows(
  session: Session,
  db: string,
  rows: readonly Row[],
  position: Position,
  sent: Sent,
): Promise<void> {
  if (rows.some(({ id, deleted }) => deleted && id.startsWith("inspection:"))) await pinPhotos(session, db);
  const bodies: Record<string, JsonObject> = {};
  for (const row of rows) if (!row.deleted) bodies[row.id] = await bodyOf(session, db, row, sent);
  const count = Object.keys(bodies).length;
  const sealed = count > 0 ? await encryptJson(session.env, session.key, bodies, pagePlace(db)) : null;
  const told = await toldOf(session, db, rows, bodies);
  const page = await write(
    session.db,
    ["pages", "heads", "own", "outbox", "overruled", "databases"],
    async (tx) => {
      const n = sealed ? await tx.objectStore("pages").add({ db, count, sealed }) : null;
      const news: string[] = [];
      for (const row of rows) if (await takeRow(tx, db, row, n, told)) news.push(row.id);
      const database = await tx.objectStore("databases").get(db);
      if (database) {
        const rewrite = database.rewrite || rows.some(({ deleted }) => deleted);
        // From no position at all everything is asked for.
        const isBehind = position.position === undefined && database.position !== null;
        const plain = [...new Set([...(database.plain ?? []), ...(isBehind ? news : [])])];
        await tx.objectStore("databases").put({ ...database, ...position, plain, rewrite });
      }
      return n;
    },
  );
  if (page !== null) session.pages.set(page, Promise.resolve(bodies as Bodies));
  if (rows.length > 0) session.env.channel.post("records");
}

async function bodyOf(session: Session, db: string, { id, rev, doc }: Row, sent: Sent): Promise<JsonObject> {
  if (doc) return doc;
  const body = sent.get(sentKey(id, rev));
  if (body) return body;
  const own = await session.db.get("own", [db, id, rev]);
  if (own) return (await openOwn(session, own)).body;
  const head = await session.db.get("heads", [db, id]);
  const held = head?.rev === rev && head.page !== null ? await session.pages.get(head.page) : undefined;
  if (held?.[id]) return held[id];
  throw new BadAnswer("a winner without a body that this phone does not have");
}

/** What the volunteer is to be told of these winners; loaded later: the first visit does not wait for it. */
async function toldOf(session: Session, db: string, rows: readonly Row[], winners: Bodies): Promise<Told> {
  const database = await session.db.get("databases", db);
  // The first winners of a database take the place of nothing that was here.
  const first = !database || (database.position === null && database.since === null);
  return (await import("./registers/registers.ts")).toldOf(session, db, first, rows, winners);
}

/**
 * Whether this winner settles an own leaf. What is still to be sent the server may know by name alone, from what was
 * built upon it: that goes up even so, or nobody would have what it said.
 */
export function isSettledBy({ state, again, lost, rev: own }: Own, { rev, revs, absorbed }: Row): boolean {
  if (state === "received" || absorbed.includes(own)) return true;
  if (again || lost) return false;
  return state === "unsent" ? rev === own : descends(rev, revs, own);
}

/** Resolves to whether the winner is another one than before. */
async function takeRow(
  tx: Write<"heads" | "own" | "outbox" | "overruled">,
  db: string,
  row: Row,
  page: number | null,
  told: Told,
): Promise<boolean> {
  const { id, rev, revs, deleted, doc } = row;
  const before = await tx.objectStore("heads").get([db, id]);
  const own = await tx.objectStore("own").getAll(keysOf(db, id));
  const head = { db, id, rev, revs: [...revs], page: deleted ? null : page };
  // What has moved says where to.
  const erased = deleted && !Object.keys(doc ?? {}).length;
  await tx.objectStore("heads").put(erased ? { ...head, erased } : head);
  for (const leaf of own) {
    if (!isSettledBy(leaf, row)) continue;
    await tx.objectStore("own").delete([db, id, leaf.rev]);
    await tx.objectStore("outbox").delete([db, id, leaf.rev]);
  }
  const lost = told.get(id);
  if (lost) await tx.objectStore("overruled").put(lost);
  else if (lost === null) await tx.objectStore("overruled").delete([db, id]);
  return before?.rev !== rev;
}

/**
 * The server has heard of all that this phone has of these databases, and has asked for what it lacks: of others' work
 * it takes by the exchange what it would not take by plain CouchDB.
 */
export async function commitHeard(session: Session, names: readonly string[]): Promise<void> {
  if (names.length === 0) return;
  await write(session.db, ["databases", "own"], async (tx) => {
    for (const name of names) {
      await askAgain(tx, ["refused"], name);
      const database = await tx.objectStore("databases").get(name);
      if (database) await tx.objectStore("databases").put({ ...database, plain: [] });
    }
  });
}

/** At the end of a stream the rows have shown what became of leaves that were received before they were read. */
export async function dropReceived(session: Session, keys: readonly RevKey[]): Promise<void> {
  if (keys.length === 0) return;
  await write(session.db, ["own"], async (tx) => {
    for (const key of keys)
      if ((await tx.objectStore("own").get(key))?.state === "received")
        await tx.objectStore("own").delete(key);
  });
  session.env.channel.post("records");
}

/** A database that the server names: known from now on, and held again if it was not. */
export async function commitHeld(session: Session, names: readonly string[]): Promise<void> {
  await write(session.db, ["databases"], async (tx) => {
    for (const name of names) {
      const known = await tx.objectStore("databases").get(name);
      if (!known) await tx.objectStore("databases").put(newDatabase(name));
      else if (known.gone) await tx.objectStore("databases").put({ ...known, gone: false });
    }
  });
}

export function newDatabase(name: string): Database {
  return { name, position: null, since: null, gone: false, rewrite: false };
}

/** Pictures that wait for inspections which leave this phone. */
async function pinPhotos(session: Session, db: string): Promise<void> {
  if ((await session.db.count("photos")) === 0) return;
  await (await import("./apart.ts")).photos.pin(session, db.slice("hamlet-".length));
}

/** No longer held: its lists go; what the server has not received stays and goes up still. */
export async function commitGone(session: Session, db: string): Promise<void> {
  await pinPhotos(session, db);
  await write(session.db, ["databases", "heads", "pages", "own"], async (tx) => {
    await tx.objectStore("heads").delete(keysOf(db));
    for (const n of await tx.objectStore("pages").index("db").getAllKeys(db)) {
      await tx.objectStore("pages").delete(n);
      session.pages.delete(n);
    }
    const own = await tx.objectStore("own").getAll(keysOf(db));
    const left = own.filter(({ state }) => state !== "received");
    for (const { id, rev, state } of own)
      if (state === "received") await tx.objectStore("own").delete([db, id, rev]);
    if (left.length === 0) await tx.objectStore("databases").delete(db);
    else await tx.objectStore("databases").put({ ...newDatabase(db), gone: true });
  });
  session.env.channel.post("records");
}

/**
 * The server does not know the position: both ways start from null, and the next request says what this phone has.
 * What had left this database is said again by a server that knows of it; one that was restored to before that does
 * not. What one database has lost, it has lost of all: others that are let go by now have no position to lose.
 */
export async function commitLost(session: Session, db: string): Promise<void> {
  await write(session.db, ["databases", "heads", "own"], async (tx) => {
    for (const { id, page } of await tx.objectStore("heads").getAll(keysOf(db)))
      if (page === null) await tx.objectStore("heads").delete([db, id]);
    await askAgain(tx, ["refused", "unsent"]);
    const database = await tx.objectStore("databases").get(db);
    if (database) await tx.objectStore("databases").put({ ...database, position: null, since: null });
  });
}

/** What others wrote is no claim of this phone's: the server is asked about it before it is sent once more. */
export async function commitAgain({ db }: Pick<Session, "db">): Promise<void> {
  await write(db, ["own"], (tx) => askAgain(tx, ["refused", "unsent"]));
}

/** Others' work in these states, of one database or of all, waits until the server asks for it again. */
async function askAgain(tx: Write<"own">, states: readonly OwnState[], db?: string): Promise<void> {
  for (const own of await tx.objectStore("own").getAll(db === undefined ? undefined : keysOf(db)))
    if (own.again && states.includes(own.state)) await tx.objectStore("own").put({ ...own, state: "held" });
}

/**
 * These are about to leave this phone: from now on others may have them, whatever it hears. Where there is no room to
 * write that down they leave all the same: a phone that is full would keep them to itself.
 */
export async function commitSent(db: Session["db"], leaves: readonly RevKey[]): Promise<void> {
  if (leaves.length === 0) return;
  await write(db, ["own"], async (tx) => {
    for (const key of leaves) {
      const own = await tx.objectStore("own").get(key);
      if (own && !own.sent) await tx.objectStore("own").put({ ...own, sent: true });
    }
  }).catch((error) => {
    if (!isFull(error)) throw error;
  });
}

/**
 * Sends leaves on a link. Where there is none at all they do not leave: a day without a signal keeps no more of a
 * record than its last state (save.ts).
 */
export async function leaving<T>(
  { env, db }: Pick<Session, "env" | "db">,
  leaves: readonly Pick<Own, "db" | "id" | "rev">[],
  send: () => Promise<T>,
): Promise<T> {
  const out = () => commitSent(db, leaves.map(keyOf));
  const offline = env.offline();
  if (!offline) await out();
  return send().then(
    async (answer) => {
      if (offline) await out();
      return answer;
    },
    async (error) => {
      if (offline && !(env.offline() && error instanceof NoLink && !error.begun)) await out();
      throw error;
    },
  );
}

export const keyOf = ({ db, id, rev }: Pick<Own, "db" | "id" | "rev">): RevKey => [db, id, rev];

/** What the server has never had: own leaves are to be sent (again), lost winners become leaves to be sent. */
export async function commitMissing(
  session: Session,
  db: string,
  missing: readonly (readonly [string, string])[],
): Promise<void> {
  const copies = await Promise.all(missing.map(([id, rev]) => copyOfWinner(session, db, id, rev)));
  await write(session.db, ["own"], async (tx) => {
    for (const [id, rev] of missing) {
      const own = await tx.objectStore("own").get([db, id, rev]);
      if (own && own.late === undefined) {
        const lost = own.lost || own.state === "received" ? { lost: true } : {};
        await tx.objectStore("own").put({ ...own, ...lost, state: "unsent", depth: own.revs.length });
      }
    }
    for (const copy of copies)
      if (copy && !(await tx.objectStore("own").get([db, copy.id, copy.rev])))
        await tx.objectStore("own").put(copy);
  });
}

async function copyOfWinner(session: Session, db: string, id: string, rev: string): Promise<Own | null> {
  const head = await session.db.get("heads", [db, id]);
  if (!head || head.rev !== rev || head.page === null) return null;
  const winner = (await readOne(session, db, id))?.winner;
  if (!winner) return null;
  const { revs } = head;
  const place = ownPlace({ db, id, rev });
  const body = await encryptJson(session.env, session.key, winner.body, place);
  const fresh = { stamps: [], acts: [] };
  const saved = session.env.now();
  return {
    db,
    id,
    rev,
    revs,
    depth: revs.length,
    body,
    fresh,
    state: "unsent",
    reason: null,
    saved,
    again: true,
  };
}
