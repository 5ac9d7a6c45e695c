/**
 * Carrying: records of other phones, sealed as they came, on their way to the office; and the receipts back.
 *
 * All of it may happen twice, by halves, late, out of order, or never to the end: a record is known by the digest of
 * its bytes, the server takes each once, and the phone that gave a record keeps it until a receipt proves that the
 * office answered. Neither needs the PIN: a locked phone carries too.
 */
import { fromBase64url, hex } from "./bytes.ts";
import { Reading } from "./codes.ts";
import { type CodeRun, type Courier, type CourierState, FieldError, type Taken } from "./contract.ts";
import { type AccountDb, type Carried, meta, meter, stored, write } from "./db.ts";
import { bundle, type Closed, fitting, limit, receiptsIn, type Told } from "./handin.ts";
import { ask, body, Refused } from "./link.ts";
import { believe, HEAD, written } from "./receipts.ts";
import type { Session } from "./records.ts";
import { documentsIn } from "./several.ts";
import { receiptRun, recordRun } from "./showing.ts";

/** What others' records may take of this phone, as text: three thousand of them or so. */
const ROOM = 3_000_000;
/** Receipts that are kept to be given back; the oldest make way. Each takes some 150 bytes. */
const RECEIPTS = 5_000;
/** A record holds one document or a few; nothing larger was ever sealed by a phone. */
const LONGEST = 200_000;
/** Version, point, iv and tag: a shorter one seals nothing. */
const SHORTEST = 1 + 65 + 12 + 16;

export class PhoneCourier implements Courier {
  /** `open` raises FieldError `locked` where the account is. */
  constructor(
    private readonly here: Closed,
    private readonly open: () => Session,
  ) {}

  async take(text: string): Promise<Taken> {
    const [first = "", ...rest] = text.replace(/^\ufeff/, "").split(/\r?\n/);
    // What stands behind the last line end was cut off: the rest of the file never came.
    const cut = rest.pop();
    const lines = rest.map((line) => line.trim()).filter(Boolean);
    if (first.trim() === HEAD) return believe(this.here, lines);
    const keyId = /^camket-bundle 1 ([a-z0-9]{1,32})$/.exec(first.trim())?.[1];
    if (!keyId) throw new FieldError("bad_bundle");
    return this.#carry(keyId, lines, cut ? 1 : 0);
  }

  async state(): Promise<CourierState> {
    const all = await this.here.db.getAll("carried");
    const going = all.filter(({ receipt }) => !receipt);
    return {
      carrying: documents(going),
      answered: all.filter(({ receipt }) => receipt?.proof).length,
      room: Math.max(0, ROOM - size(going)),
    };
  }

  async receipts(): Promise<string> {
    return written(await this.here.db.getAll("carried"));
  }

  async handedOver(given: string): Promise<void> {
    const { env, db } = this.here;
    const records = new Set(given.split("\n"));
    const offset = (await meta(db, "clock"))?.offset ?? 0;
    await stored(
      write(db, ["own", "outbox"], async (tx) => {
        for (const { db: name, id, rev, record } of await tx.objectStore("outbox").getAll()) {
          const own = records.has(record) && (await tx.objectStore("own").get([name, id, rev]));
          if (own) await tx.objectStore("own").put({ ...own, carried: env.now() + offset });
        }
      }),
    );
    env.channel.post("records");
  }

  async recordCodes(): Promise<CodeRun | null> {
    return recordRun(this.open());
  }

  async receiptCodes(after: number): Promise<CodeRun | null> {
    return receiptRun(this.here, after);
  }

  reader(): Reading {
    return new Reading(this.here.env);
  }

  async #carry(keyId: string, lines: readonly string[], cut: number): Promise<Taken> {
    const { env, db } = this.here;
    const read = await Promise.all([...new Set(lines)].map((line) => this.#read(keyId, line)));
    const found = read.filter((one): one is Carried => one !== null);
    const taken = await stored(
      write(db, ["carried", "outbox"], async (tx) => {
        const own = new Set((await tx.objectStore("outbox").getAll()).map(({ sha256 }) => sha256));
        const here = await tx.objectStore("carried").getAll();
        const known = new Set([...own, ...here.map(({ sha256 }) => sha256)]);
        const fresh = found.filter(({ sha256 }) => !known.has(sha256));
        if (size([...here, ...fresh]) > ROOM) throw new FieldError("carry_full");
        for (const one of fresh) await tx.objectStore("carried").put(one);
        return documents(fresh);
      }),
    );
    env.channel.post("sync");
    const bad = read.length - found.length + cut;
    return { kind: "records", taken, known: documents(found) - taken, bad };
  }

  /** A line as it is carried; null where it is no sealed record. */
  async #read(keyId: string, line: string): Promise<Carried | null> {
    if (!/^[\w-]+$/.test(line) || line.length > LONGEST || line.length % 4 === 1) return null;
    const bytes = fromBase64url(line);
    if (documentsIn(line) === 0 || bytes.length < SHORTEST) return null;
    const sha256 = hex(new Uint8Array(await this.here.env.subtle.digest("SHA-256", bytes)));
    return { sha256, keyId, record: line, receipt: null, at: this.here.env.now() };
  }
}

/** Hands in what this phone carries, in batches, and keeps the receipts. Raises what the link raises. */
export async function deliver({ env, db }: Closed): Promise<void> {
  const keys = await meta(db, "keys");
  if (!keys) return;
  const tried = new Set<string>();
  for (;;) {
    const left = (await db.getAll("carried")).filter(({ sha256, receipt }) => !receipt && !tried.has(sha256));
    const [next] = left;
    if (!next) break;
    const records = fitting(
      left.filter(({ keyId }) => keyId === next.keyId),
      limit(env),
    );
    for (const { sha256 } of records) tried.add(sha256);
    const answer = await ask(env, "/sealed", {
      ...{ credential: keys.send, type: "text/plain", meter: meter({ env, db }) },
      body: await body(bundle(next.keyId, records)),
    }).catch((error) => {
      // Of another commune, or of a server that is gone: it is the carrier who must hear of it.
      if (error instanceof Refused && error.status === 400) return null;
      throw error;
    });
    const foreign = { is: "forbidden", reason: "", proof: null };
    const told =
      answer === null
        ? records.map(({ sha256 }) => ({ ...foreign, sha256, of: sha256 }))
        : receiptsIn(answer);
    await keep(db, records, told, env.now());
    env.channel.post("sync");
  }
}

/**
 * Of a record that was answered the receipts are all that is carried: its own, or one for each document that lay in it,
 * and then its own says nothing more but that it was here.
 */
async function keep(
  db: AccountDb,
  records: readonly Carried[],
  told: readonly Told[],
  at: number,
): Promise<void> {
  await write(db, ["carried"], async (tx) => {
    const store = tx.objectStore("carried");
    for (const one of records) {
      const mine = told.filter(({ of }) => of === one.sha256);
      const answered = { ...one, record: "", at };
      if (mine.length > 0)
        await store.put({ ...answered, receipt: { is: "opened", reason: "", proof: null } });
      for (const { sha256, is, reason, proof } of mine)
        await store.put({ ...answered, sha256, receipt: { is, reason, proof } });
    }
    const answered = (await store.getAll()).filter(({ receipt }) => receipt).sort((a, b) => a.at - b.at);
    for (const { sha256 } of answered.slice(0, Math.max(0, answered.length - RECEIPTS)))
      await store.delete(sha256);
  });
}

const size = (all: readonly Carried[]) => all.reduce((sum, { record }) => sum + record.length, 0);
const documents = (all: readonly Carried[]) => all.reduce((sum, { record }) => sum + documentsIn(record), 0);
