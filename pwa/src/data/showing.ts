/** What a phone shows to another one's camera: runs of QR codes, few enough for two people to hold their hands still. */
import { MOST } from "../core/codes.ts";
import { toBase64url } from "./bytes.ts";
import { codesOf } from "./codes.ts";
import { commitSent, keyOf } from "./commit.ts";
import type { CodeRun } from "./contract.ts";
import { meta, type Outgoing, type Own } from "./db.ts";
import { inOrder } from "./gather.ts";
import { bundle, type Closed } from "./handin.ts";
import { travelling } from "./outgoing.ts";
import { written } from "./receipts.ts";
import { openOwn, type Session } from "./records.ts";
import { type Entry, sealed } from "./several.ts";

/** Of one run. */
const RECORDS = 20;
/** Each takes some 60 bytes: a digest and a proof do not compress. */
const RECEIPTS = 40;

/**
 * Own records under one seal. They may arrive from now on, whether or not the person comes back to say that somebody
 * has read them. Null where none fits, or this browser cannot seal.
 */
export async function recordRun(session: Session): Promise<CodeRun | null> {
  const { env, db } = session;
  const [keys, outbox, all] = await Promise.all([meta(db, "keys"), db.getAll("outbox"), db.getAll("own")]);
  const waiting = new Map(outbox.map((record) => [String(keyOf(record)), record]));
  const own = inOrder(all.filter((leaf) => waiting.has(String(keyOf(leaf)))));
  const strokes = own.filter(isStrokes).length;
  const whole = own.filter((leaf) => !isStrokes(leaf));
  const fresh = whole.filter(({ carried }) => carried === undefined);
  // All are on their way already: those that left longest ago are shown again, and nothing is left for another run.
  const again = fresh.length === 0;
  let going = again ? whole.sort((a, b) => (a.carried ?? 0) - (b.carried ?? 0)) : fresh;
  let large = 0;
  for (let take = RECORDS; keys && going.length > 0; ) {
    const leaves = going.slice(0, take);
    const record = await sealed(env, keys.seal, keys.send, await Promise.all(leaves.map(entryOf(session))));
    const codes = record && (await codesOf(env, bundle(keys.seal.id, [{ record: toBase64url(record) }])));
    if (!codes) return null;
    if (codes.length <= MOST) {
      await commitSent(db, leaves.map(keyOf));
      const given = leaves.map((leaf) => waiting.get(String(keyOf(leaf))) as Outgoing);
      return {
        ...{ codes, strokes, large, count: leaves.length },
        left: again ? 0 : going.length - leaves.length,
        given: bundle(keys.seal.id, given),
      };
    }
    // One alone that is too large makes way for the others.
    if (leaves.length > 1) take = Math.ceil(leaves.length / 2);
    else {
      going = going.slice(1);
      large += 1;
      take = RECORDS;
    }
  }
  return null;
}

const isStrokes = ({ id }: Own) => id.startsWith("signature:");

const entryOf =
  (session: Session) =>
  async (leaf: Own): Promise<Entry> => {
    const { body } = await openOwn(session, leaf);
    return { clock: leaf.saved, db: leaf.db, doc: travelling({ ...leaf, body }) };
  };

/** Receipts for what this phone carried; null where none is left, or this browser has no gzip. */
export async function receiptRun({ env, db }: Closed, after: number): Promise<CodeRun | null> {
  const answered = (await db.getAll("carried")).filter(({ receipt }) => receipt?.proof);
  const all = answered.sort((a, b) => b.at - a.at);
  const some = all.slice(after, after + RECEIPTS);
  const text = written(some);
  const codes = some.length > 0 ? await codesOf(env, text) : null;
  if (!codes) return null;
  const left = Math.max(0, all.length - after - some.length);
  return { codes, left, count: some.length, strokes: 0, large: 0, given: text };
}
