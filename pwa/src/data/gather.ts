/** What goes up next: own leaves in the order of their worth, as many as the link takes in one request. */
import { canonical } from "../core/canonical.ts";
import type { JsonObject } from "../core/json.ts";
import { hex, utf8 } from "./bytes.ts";
import { newDatabase, type Sent, sentKey } from "./commit.ts";
import type { Database, Own } from "./db.ts";
import type { Env } from "./env.ts";
import { type Body, body } from "./link.ts";
import { travelling } from "./outgoing.ts";
import { type Leaf, openOwn, readAll, type Session } from "./records.ts";
import type { Asked, Named, Request } from "./wire.ts";

/** Compressed bytes of one request on a weak link: half a minute at 8 kbit/s, and little is lost by a cut. */
const WEAK = 24_000;
const WEAK_LIMIT = 32_000;
const GOOD = 250_000;
const GOOD_LIMIT = 1_000_000;

/** How many times smaller gzip makes it, by experience; checked against the truth below. */
const SHRINKS = 4;
const STROKES_SHRINK = 2;

const ORDER = ["pledge:", "inspection:", "household:", "unit:", "outreach:", "signature:"];

export interface Batch {
  readonly request: Request;
  readonly body: Body;
  /** Bodies that went along: the server does not send them back. */
  readonly sent: Sent;
  /** The leaves in the request. */
  readonly leaves: readonly Own[];
  /** Whether leaves are left for another request. */
  readonly more: boolean;
  /** What the phone's clock was corrected by (milliseconds): what the server says of it says it of this. */
  readonly offset: number;
}

/** Whether a leaf goes up; refused ones only when the volunteer asks for it, and others' only where they are asked for. */
export function goes(own: Own, refusedToo: boolean): boolean {
  return (own.state === "unsent" && !isLate(own)) || (refusedToo && own.state === "refused" && !own.again);
}

const isLate = ({ late }: Own) => late !== undefined;

/**
 * Whether the server is asked what it knows of a leaf: one that it holds back; one that it has received by another
 * way than this exchange, since it may have lost it again; one that is late.
 */
function waits(own: Own): boolean {
  return own.state === "held" || own.state === "received" || (own.state === "unsent" && isLate(own));
}

/** What is asked of a leaf: of a late one also what it was written upon, since that does not move with it. */
async function asked(session: Session, own: Own): Promise<Named[]> {
  const { id, late, below = [] } = own;
  const under = late === undefined ? [] : below.map(({ rev }): Named => [id, rev]);
  return [await named(session.env, id, await openOwn(session, own)), ...under];
}

/** A revision with 64 bits of the SHA-256 of what it says, in hex (sync/exchange.py `digest`). */
async function named({ subtle }: Env, id: string, { rev, body }: Leaf): Promise<Named> {
  const says = await subtle.digest("SHA-256", utf8(canonical(body)));
  return [id, rev, hex(new Uint8Array(says, 0, 8))];
}

/** Pledges and inspections, then what they are about, then signatures; the older first. */
export function inOrder(own: readonly Own[]): Own[] {
  const rank = ({ id }: Own) => {
    const at = ORDER.findIndex((prefix) => id.startsWith(prefix));
    return at < 0 ? ORDER.length : at;
  };
  return [...own].sort((a, b) => rank(a) - rank(b) || a.saved - b.saved);
}

/** How a batch travels; a trial carries nothing, to learn whether the exchange is offered. */
export type Way = "exchange" | "trial" | "plain";

/**
 * What a trial leaves out is `more`. `put`: revisions that the server has put off just now.
 */
export async function gather(
  session: Session,
  offset: number,
  refusedToo: boolean,
  way: Way = "exchange",
  put: ReadonlySet<string> = new Set(),
): Promise<Batch> {
  const clock = session.env.now() + offset;
  const [known, all] = await Promise.all([session.db.getAll("databases"), session.db.getAll("own")]);
  const databases = [...known, ...forgotten(known, all)];
  const going = inOrder(all.filter((own) => goes(own, refusedToo) && !put.has(own.rev)));
  const waiting = all.filter(waits);
  const weak = session.env.weakLink();
  let take = way !== "trial" ? fitting(going, weak ? WEAK : GOOD) : 0;
  for (;;) {
    const leaves = going.slice(0, take);
    const { request, sent, silent } = await compose(session, clock, databases, leaves, waiting, way);
    const packed = await body(JSON.stringify(request));
    if (take <= 1 || packed.bytes.length <= (weak ? WEAK_LIMIT : GOOD_LIMIT))
      return { request, body: packed, sent, leaves, more: silent || take < going.length, offset };
    take = Math.ceil(take / 2);
  }
}

/** Databases that were let go, where a form was open all the time and has been saved since. */
function forgotten(known: readonly Database[], own: readonly Own[]): Database[] {
  const held = new Set(known.map(({ name }) => name));
  const names = new Set(own.map(({ db }) => db).filter((db) => !held.has(db)));
  return [...names].map((name) => ({ ...newDatabase(name), gone: true }));
}

function fitting(going: readonly Own[], limit: number): number {
  let bytes = 0;
  for (const [i, own] of going.entries()) {
    bytes += own.body.length / (own.id.startsWith("signature:") ? STROKES_SHRINK : SHRINKS);
    if (bytes > limit) return Math.max(1, i);
  }
  return going.length;
}

async function compose(
  session: Session,
  clock: number,
  databases: readonly Database[],
  leaves: readonly Own[],
  waiting: readonly Own[],
  way: Way,
): Promise<{ request: Request; sent: Sent; silent: boolean }> {
  const sent = new Map<string, JsonObject>();
  const docs = new Map<string, JsonObject[]>();
  for (const leaf of leaves) {
    const opened = await openOwn(session, leaf);
    sent.set(sentKey(leaf.id, leaf.rev), opened.body);
    docs.set(leaf.db, [...(docs.get(leaf.db) ?? []), travelling({ ...opened, id: leaf.id })]);
  }
  const dbs: Record<string, Asked> = {};
  let silent = false;
  for (const database of databases) {
    const { name, position, gone } = database;
    const here = waiting.filter(({ db }) => db === name);
    const held = (await Promise.all(here.map((own) => asked(session, own)))).flat();
    const going = docs.get(name) ?? [];
    if (gone && going.length === 0 && held.length === 0) continue;
    const have = way === "plain" ? [] : await having(session, database);
    if (have.length > 0 && way === "trial") {
      silent = true; // the rows would take the place of what the server has not been told of
      continue;
    }
    dbs[name] = {
      since: position,
      ...(going.length > 0 ? { docs: going } : {}),
      ...(held.length > 0 ? { waiting: held } : {}),
      ...(have.length > 0 ? { have } : {}),
    };
  }
  return { request: { clock, dbs }, sent, silent };
}

/**
 * What this phone has of a database that no position vouches for: all of it where the server lost that or has never
 * given one, or what came by plain CouchDB since. A server that was restored to before may have none of it.
 */
async function having(session: Session, { name, position, plain = [] }: Database): Promise<Named[]> {
  if (position !== null && plain.length === 0) return [];
  const all = [...(await readAll(session, name)).values()];
  const known = position === null ? all : all.filter(({ id }) => plain.includes(id));
  const winners = known.map(({ id, winner }) => (winner ? [named(session.env, id, winner)] : []));
  return Promise.all(winners.flat());
}
