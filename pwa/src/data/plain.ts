/**
 * The same sync in plain CouchDB terms, where `/db/_exchange` is refused (an older server, a plain CouchDB, a proxy
 * in between): `_bulk_docs` with `new_edits: false`, then `_changes` with bodies. Rows come without ancestry, so
 * a revision made on top of one names that one parent. Positions of the two ways are kept apart; the ways mix.
 */
import { isObject, type JsonObject } from "../core/json.ts";
import { digest } from "../core/revision.ts";
import { commitOutcomes, commitRows, dropReceived } from "./commit.ts";
import { meter, type RevKey } from "./db.ts";
import type { Batch } from "./gather.ts";
import { ask, body } from "./link.ts";
import type { Session } from "./records.ts";
import { BadAnswer, type Outcome, type Row } from "./wire.ts";

const ROWS = 200;

/** Pushes the batch and pulls all databases. Raises what the link raises. */
export async function plainSync(session: Session, batch: Batch): Promise<void> {
  for (const [db, { docs }] of Object.entries(batch.request.dbs)) {
    const received = docs ? await push(session, db, docs) : [];
    await pull(session, db, batch);
    await dropReceived(session, received);
  }
}

async function push(session: Session, db: string, docs: readonly JsonObject[]): Promise<RevKey[]> {
  const packed = await body(JSON.stringify({ new_edits: false, docs }));
  const answer = await ask(session.env, `/db/${db}/_bulk_docs`, {
    credential: session.credential,
    body: packed,
    meter: meter(session),
  });
  if (!Array.isArray(answer)) throw new BadAnswer("_bulk_docs answers a list");
  // Only errors have rows: what is not named is on the server's disk.
  const errors = new Map(answer.filter(isObject).map((row) => [`${row.id} ${row.rev ?? ""}`, row]));
  const outcomes = docs.map((doc): Outcome => {
    const id = doc._id as string;
    const rev = doc._rev as string;
    const error = errors.get(`${id} ${rev}`) ?? errors.get(`${id} `);
    if (!error) return { id, rev, is: "received", reason: null };
    return { id, rev, is: "forbidden", reason: typeof error.reason === "string" ? error.reason : null };
  });
  return commitOutcomes(session, db, outcomes);
}

async function pull(session: Session, db: string, batch: Batch): Promise<void> {
  for (;;) {
    const since = (await session.db.get("databases", db))?.since ?? "0";
    const query = `include_docs=true&limit=${ROWS}&since=${encodeURIComponent(since)}`;
    const answer = await ask(session.env, `/db/${db}/_changes?${query}`, {
      method: "GET",
      credential: session.credential,
      meter: meter(session),
    });
    if (!isObject(answer) || !Array.isArray(answer.results)) throw new BadAnswer("_changes answers results");
    const rows = answer.results.filter(isObject).flatMap(rowOf);
    // A sequence may be any JSON; it goes back as text.
    const last = typeof answer.last_seq === "string" ? answer.last_seq : JSON.stringify(answer.last_seq);
    await commitRows(session, db, rows, { since: last }, batch.sent);
    if (answer.results.length < ROWS) return;
  }
}

/** A row of `_changes`, without `_` fields in its body; design documents and signatures are not for phones. */
function rowOf(change: JsonObject): Row[] {
  const { id, doc, deleted } = change;
  if (typeof id !== "string" || id.startsWith("_") || id.startsWith("signature:")) return [];
  const rev = isObject(doc) ? doc._rev : undefined;
  if (!isObject(doc) || typeof rev !== "string") throw new BadAnswer("_changes was asked for documents");
  const kept = Object.fromEntries(Object.entries(doc).filter(([field]) => !field.startsWith("_")));
  return [{ id, rev, revs: [digest(rev)], doc: kept, deleted: deleted === true, absorbed: [] }];
}
