/**
 * The same sync in plain CouchDB terms, where `/db/_exchange` is refused (an older server, a plain CouchDB, a proxy
 * in between): `_revs_diff`, `_bulk_docs` with `new_edits: false`, then `_changes` with bodies. Positions of the two
 * ways are kept apart; the ways mix.
 *
 * What the protocol has no words for is made of what it has. `_revs_diff` is the waiting list: what is not missing
 * has been received, if it says there what it says here. An error's name is `forbidden` whatever happened (peers
 * stop at others), so this server adds what it means as `is`, which CouchDB's peers pass over. The time of an answer, in its `Date`, is the server's clock.
 * Rows come without ancestry, so a revision made on top of one names that one parent. That a hamlet has been added
 * to a phone, or that the server has lost its last day, only the exchange can say: until then the phone keeps what
 * older rows would take the place of.
 */
import { canonical } from "../core/canonical.ts";
import { isObject, type JsonObject } from "../core/json.ts";
import { descends, digest } from "../core/revision.ts";
import { EARLIEST } from "../core/stamps.ts";
import { commitGone, commitMissing, commitOutcomes, commitRows, dropReceived, leaving } from "./commit.ts";
import { type Head, meter, type Own, type RevKey } from "./db.ts";
import type { Batch } from "./gather.ts";
import { ask, body, Refused, send } from "./link.ts";
import { travelling } from "./outgoing.ts";
import { openOwn, readOne, type Session } from "./records.ts";
import { shiftAll, shiftLate, shiftSome } from "./shift.ts";
import { BadAnswer, type Outcome, outcome, type Row } from "./wire.ts";

const ROWS = 200;
/** As the exchange has it: a clock that is wrong by more moves (sync/stamps.py). */
const SKEW = 5 * 60_000;

/** What one run came to: whether there is to be another at once, and why the server put some records off. */
interface Run {
  readonly again: boolean;
  readonly later: string | null;
}

/** Pushes the batch and pulls all databases. Raises what the link raises. */
export async function plainSync(session: Session, batch: Batch, onShift: () => void): Promise<Run> {
  let again = false;
  let later: string | null = null;
  // The shared database first: where even that is forbidden, it is the phone that the server refuses.
  for (const db of Object.keys(batch.request.dbs).sort()) {
    const run = new Plain(session, batch, db, onShift);
    again = (await run.sync()) || again;
    later = run.later ?? later;
    if (run.moved) return { again: true, later };
  }
  return { again, later };
}

interface Waiting {
  readonly leaf: Own;
  readonly doc: JsonObject;
}

class Plain {
  /** The clock was wrong: everything unsent has another revision now. */
  moved = false;
  later: string | null = null;
  /** On the server; the rows will show what became of them. */
  readonly #received: RevKey[] = [];

  constructor(
    private readonly session: Session,
    private readonly batch: Batch,
    private readonly db: string,
    private readonly onShift: () => void,
  ) {}

  async sync(): Promise<boolean> {
    try {
      const again = await this.#push();
      if (this.moved) return true;
      const database = await this.session.db.get("databases", this.db);
      // One that was let go takes what was in a form all the time, and its lists are no longer for this phone.
      const lost = database && !database.gone ? await this.#pull() : false;
      await dropReceived(this.session, this.#received);
      return again || lost;
    } catch (error) {
      if (!(error instanceof Refused) || this.db === "commune") throw error;
      if (error.status === 403)
        await commitGone(this.session, this.db); // this one is no longer held
      else if (error.status !== 404) throw error; // held, but there is nothing in it yet
      return false;
    }
  }

  /** Everything that this database has to say. True where a record moved, or is to be sent (again). */
  async #push(): Promise<boolean> {
    const { session, batch, db } = this;
    const docs = batch.request.dbs[db]?.docs ?? [];
    const waiting = await this.#waiting();
    const named = [...docs, ...waiting.map(({ doc }) => doc)];
    if (named.length === 0) return false;
    const below = waiting.flatMap(({ leaf: { id, late, below = [] } }) =>
      late === undefined ? [] : below.map(({ rev }) => ({ _id: id, _rev: rev })),
    );
    const { missing, at } = await this.#missing([...named, ...below]);
    for (const one of await this.#unlike(named.filter((doc) => !missing.has(nameOf(doc))))) missing.add(one);
    const clock = session.env.now() + batch.offset;
    // Behind: nothing that was written would ever win. Ahead, the server says of each record below.
    if (at > EARLIEST && at - clock > SKEW) return this.#shiftAll(at - clock);
    const isMissing = (doc: JsonObject) => missing.has(nameOf(doc));
    const there = [...named, ...below]
      .filter((doc) => !isMissing(doc))
      .map((doc) => [doc._id, doc._rev, "received"]);
    this.#received.push(...(await commitOutcomes(session, db, there.map(outcome))));
    const absent = waiting.filter(({ doc }) => isMissing(doc));
    const lost = absent.filter(({ leaf }) => leaf.state !== "held").map(({ leaf }) => pairOf(leaf));
    await commitMissing(session, db, lost);
    await shiftLate(session, db, lost);
    // One that is held is not in the tree: what became of it is the answer to sending it once more.
    const held = absent.filter(({ leaf }) => leaf.state === "held").map(({ doc }) => doc);
    const going = [...docs.filter(isMissing), ...held];
    const send = () => this.#send(going, held);
    const outcomes = going.length > 0 ? await leaving(session, this.#leaves(), send) : [];
    this.#received.push(...(await commitOutcomes(session, db, outcomes)));
    this.later = outcomes.find(({ is }) => is === "later")?.reason ?? null;
    const late = outcomes.filter(({ is }) => is === "clock");
    if (late.length === 0) return lost.length > 0;
    if (at > EARLIEST && clock - at > SKEW) return this.#shiftAll(at - clock);
    this.onShift(); // and where nobody tells the time, that is what is said in the end
    if (at > EARLIEST) await shiftSome(session, db, late, at);
    return true;
  }

  async #shiftAll(skew: number): Promise<boolean> {
    this.onShift();
    await shiftAll(this.session, skew, this.batch);
    this.moved = true;
    return true;
  }

  #leaves(): readonly Own[] {
    return this.batch.leaves.filter((leaf) => leaf.db === this.db);
  }

  /** What waits for an outcome, as it would travel. */
  async #waiting(): Promise<Waiting[]> {
    const { session, batch, db } = this;
    const found = await Promise.all(
      (batch.request.dbs[db]?.waiting ?? []).map(async ([id, rev]) => {
        const leaf = await session.db.get("own", [db, id, rev]);
        return leaf ? [{ leaf, doc: travelling({ ...(await openOwn(session, leaf)), id }) }] : [];
      }),
    );
    return found.flat();
  }

  /** Which of these revisions the server has not; and its clock (milliseconds, 0 where it does not tell). */
  async #missing(docs: readonly JsonObject[]): Promise<{ missing: Set<string>; at: number }> {
    const asked: Record<string, string[]> = {};
    for (const { _id, _rev } of docs) asked[`${_id}`] = [...(asked[`${_id}`] ?? []), `${_rev}`];
    const { response, end } = await send(this.session.env, `/db/${this.db}/_revs_diff`, {
      ...{ credential: this.session.credential, meter: meter(this.session) },
      body: await body(JSON.stringify(asked)),
    });
    const answer: unknown = await response.json().finally(end);
    if (!isObject(answer)) throw new BadAnswer("_revs_diff answers an object");
    const missing = new Set<string>();
    for (const [id, row] of Object.entries(answer))
      if (isObject(row) && Array.isArray(row.missing))
        for (const rev of row.missing) missing.add(`${id} ${rev}`);
    return { missing, at: Date.parse(response.headers.get("Date") ?? "") || 0 };
  }

  /** Names by which something else is there: somebody took them, where the server had lost what they said. */
  async #unlike(docs: readonly JsonObject[]): Promise<string[]> {
    // Strokes are not for phones to read; their id follows from what they are.
    const named = docs.filter(({ _id }) => !`${_id}`.startsWith("signature:"));
    if (named.length === 0) return [];
    const answer = await ask(this.session.env, `/db/${this.db}/_bulk_get`, {
      ...{ credential: this.session.credential, meter: meter(this.session) },
      body: await body(JSON.stringify({ docs: named.map(({ _id, _rev }) => ({ id: _id, rev: _rev })) })),
    });
    if (!isObject(answer) || !Array.isArray(answer.results)) throw new BadAnswer("_bulk_get answers results");
    const read = answer.results.filter(isObject).flatMap(({ docs }) => (Array.isArray(docs) ? docs : []));
    const there = new Map(
      read.filter(isObject).flatMap(({ ok }) => (isObject(ok) ? [[nameOf(ok), said(ok)]] : [])),
    );
    return named.filter((doc) => (there.get(nameOf(doc)) ?? said(doc)) !== said(doc)).map(nameOf);
  }

  async #send(docs: readonly JsonObject[], held: readonly JsonObject[]): Promise<Outcome[]> {
    const answer = await ask(this.session.env, `/db/${this.db}/_bulk_docs`, {
      ...{ credential: this.session.credential, meter: meter(this.session) },
      body: await body(JSON.stringify({ new_edits: false, docs })),
    });
    if (!Array.isArray(answer)) throw new BadAnswer("_bulk_docs answers a list");
    // Only errors have rows: what is not named is on the server's disk.
    const errors = new Map(answer.filter(isObject).map((row) => [`${row.id} ${row.rev ?? ""}`, row]));
    return docs.flatMap((doc) => {
      const { _id: id, _rev: rev } = doc;
      const error = errors.get(`${id} ${rev}`) ?? errors.get(`${id} `);
      if (!error) return [outcome([id, rev, "received"])];
      // A server that does not say what it means: what was held still is, for all that this phone can tell.
      if (typeof error.is !== "string" && held.includes(doc)) return [];
      return [outcome([id, rev, error.is ?? "forbidden", error.reason])];
    });
  }

  /** True where the server had lost something that is to be given back. */
  async #pull(): Promise<boolean> {
    const { session, batch, db } = this;
    let again = false;
    for (;;) {
      const since = (await session.db.get("databases", db))?.since ?? "0";
      const query = `include_docs=true&limit=${ROWS}&since=${encodeURIComponent(since)}`;
      const answer = await ask(session.env, `/db/${db}/_changes?${query}`, {
        ...{ method: "GET", credential: session.credential, meter: meter(session) },
      });
      if (!isObject(answer) || !Array.isArray(answer.results))
        throw new BadAnswer("_changes answers results");
      const rows = answer.results.filter(isObject).flatMap(rowOf);
      // A sequence may be any JSON; it goes back as text.
      const last = typeof answer.last_seq === "string" ? answer.last_seq : JSON.stringify(answer.last_seq);
      const lost = await this.#lost(rows);
      await commitMissing(session, db, lost);
      again ||= lost.length > 0;
      await commitRows(session, db, rows, { since: last }, batch.sent);
      if (answer.results.length < ROWS) return again;
    }
  }

  /**
   * The winners here whose place these rows would take and which the server has not, or not with these words: it was
   * restored to before them. Here nobody says that a position is lost, and the exchange, once it does, could not ask
   * for them any more.
   */
  async #lost(rows: readonly Row[]): Promise<(readonly [id: string, rev: string])[]> {
    const { db } = this.session;
    const gone: Head[] = [];
    const taken: Head[] = [];
    for (const { id, rev, doc } of rows) {
      const head = await db.get("heads", [this.db, id]);
      if (!head || head.page === null) continue;
      if (head.rev === rev) {
        const winner = doc && (await readOne(this.session, this.db, id))?.winner;
        if (winner && canonical(winner.body) !== canonical(doc)) taken.push(head);
        continue;
      }
      const own = await db.get("own", [this.db, id, rev]); // what came just now was written upon it
      if (!own || !descends(rev, own.revs, head.rev)) gone.push(head);
    }
    if (gone.length === 0) return taken.map(pairOf);
    const { missing } = await this.#missing(gone.map(({ id, rev }) => ({ _id: id, _rev: rev })));
    return [...taken, ...gone.filter(({ id, rev }) => missing.has(`${id} ${rev}`))].map(pairOf);
  }
}

const pairOf = ({ id, rev }: Pick<Head, "id" | "rev">) => [id, rev] as const;

/** A row of `_changes`, without `_` fields in its body; design documents and signatures are not for phones. */
function rowOf(change: JsonObject): Row[] {
  const { id, doc, deleted } = change;
  if (typeof id !== "string" || id.startsWith("_") || id.startsWith("signature:")) return [];
  const rev = isObject(doc) ? doc._rev : undefined;
  if (!isObject(doc) || typeof rev !== "string") throw new BadAnswer("_changes was asked for documents");
  return [{ id, rev, revs: [digest(rev)], doc: bodyOf(doc), deleted: deleted === true, absorbed: [] }];
}

const nameOf = ({ _id, _rev }: JsonObject) => `${_id} ${_rev}`;
const bodyOf = (doc: JsonObject): JsonObject =>
  Object.fromEntries(Object.entries(doc).filter(([field]) => !field.startsWith("_")));
const said = (doc: JsonObject) => canonical(bodyOf(doc));
