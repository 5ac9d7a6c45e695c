/**
 * Handing in sealed records: what a locked app, the service worker and a revoked phone can still do. Needs no PIN:
 * the records were sealed when they were saved, and the credential here may do nothing else.
 */
import { isObject } from "../core/json.ts";
import { commitOutcomes, leaving } from "./commit.ts";
import type { SyncProblem } from "./contract.ts";
import { type AccountDb, meta, meter, type Outgoing, type Receipt, type SyncNote, write } from "./db.ts";
import type { Env } from "./env.ts";
import { ask, body, Refused } from "./link.ts";
import { BadAnswer, type Outcome, optional, outcome } from "./wire.ts";

/** Text of one request: sealed records do not compress, so this is what travels. */
const WEAK = 24_000;
const GOOD = 500_000;

/** An account that need not be open. */
export interface Closed {
  readonly env: Env;
  readonly db: AccountDb;
}

/** A bundle: text that another phone or a stick can carry. Empty where nothing waits. */
export function bundle(keyId: string, records: readonly Pick<Outgoing, "record">[]): string {
  return [`camket-bundle 1 ${keyId}`, ...records.map(({ record }) => record), ""].join("\n");
}

/**
 * Hands in all that waits, in batches. Resolves to how many records the server took. Raises what the link raises.
 * `courier` is another account's credential, where the server does not know this one's: then only receipts count that
 * prove themselves, which a server that knows nothing of the account cannot give.
 */
export async function handIn({ env, db }: Closed, courier?: string): Promise<number> {
  const keys = await meta(db, "keys");
  if (!keys) return 0;
  let taken = 0;
  let later: string | null = null;
  const tried = new Set<string>();
  for (;;) {
    const left = (await db.getAll("outbox")).filter(({ sha256 }) => !tried.has(sha256));
    if (left.length === 0) {
      await noteLater(db, later);
      return taken;
    }
    const records = fitting(left, limit(env));
    for (const { sha256 } of records) tried.add(sha256);
    const packed = await body(bundle(keys.seal.id, records));
    const answer = await leaving({ env, db }, records, () =>
      ask(env, "/sealed", {
        credential: courier ?? keys.send,
        type: "text/plain",
        body: packed,
        meter: meter({ env, db }),
      }),
    );
    const told = receiptsIn(answer).filter(({ proof }) => courier === undefined || proof !== null);
    for (const [name, outcomes] of byDatabase(records, told)) {
      await commitOutcomes({ env, db }, name, outcomes);
      taken += outcomes.length;
    }
    later = (isObject(answer) ? optional(answer.later) : null) ?? later;
  }
}

/** `life`: of a server that told a revoked phone that it was restored and may have lost work, which life it is in. */
export interface Standing {
  readonly is: "live" | "revoked" | "strange";
  readonly life: string;
}

/**
 * What this phone is to the server: to one that was restored to before the phone had joined it is `strange`. Raises what
 * the link raises: then nobody has said it.
 */
export async function standing({ env, db }: Closed): Promise<Standing> {
  const keys = await meta(db, "keys");
  if (!keys) return STRANGE;
  const packed = await body(bundle(keys.seal.id, []));
  const asked = ask(env, "/sealed", { credential: keys.send, type: "text/plain", body: packed });
  return asked.then(
    (answer) => {
      const { revoked, restored } = isObject(answer) ? answer : {};
      return { is: revoked === true ? "revoked" : "live", life: optional(restored) ?? "" };
    },
    (error) => {
      if (isStrange(error)) return STRANGE;
      throw error;
    },
  );
}

const STRANGE: Standing = { is: "strange", life: "" };

/** Why the server has not taken this phone for who it is. Where it did not know it (`strange`), nothing goes before it has synced again. */
export async function noteProblem(db: AccountDb, problem: SyncProblem, strange: boolean): Promise<void> {
  await write(db, ["meta"], async (tx) => {
    const before = (await tx.objectStore("meta").get("sync")) as SyncNote | undefined;
    const unknown = strange ? { unknown: true } : {};
    await tx.objectStore("meta").put({ lastSync: null, ...before, problem, ...unknown }, "sync");
  });
}

/** Why the server put some records off; null where it took all that went. */
async function noteLater(db: AccountDb, later: string | null): Promise<void> {
  if (((await meta(db, "sync"))?.later ?? null) === later) return;
  await write(db, ["meta"], async (tx) => {
    const before = (await tx.objectStore("meta").get("sync")) as SyncNote | undefined;
    await tx.objectStore("meta").put({ lastSync: null, problem: null, ...before, later }, "sync");
  });
}

/** Revoked phones are heard at `/sealed`: who is not is not known there at all. */
export const isStrange = (error: unknown) => error instanceof Refused && error.status === 401;

/** How much text one request takes on this link. */
export const limit = (env: Env) => (env.weakLink() ? WEAK : GOOD);

/** As many of these, from the first one on, as fit; one at least. */
export function fitting<R extends Pick<Outgoing, "record">>(all: readonly R[], limit: number): R[] {
  let bytes = 0;
  const end = all.findIndex(({ record }) => {
    bytes += record.length;
    return bytes > limit;
  });
  return all.slice(0, end < 0 ? all.length : Math.max(1, end));
}

/** A receipt as the server tells it: of a document that lay among others, `of` is the record in which it lay. */
export interface Told extends Receipt {
  readonly sha256: string;
  readonly of: string;
}

/** Receipts name a record by the digest of its bytes, and a document among others by `several.ts`' name. */
export function receiptsIn(answer: unknown): Told[] {
  if (!isObject(answer) || !Array.isArray(answer.receipts)) throw new BadAnswer("/sealed answers receipts");
  const found: Told[] = [];
  for (const receipt of answer.receipts)
    if (isObject(receipt) && typeof receipt.sha256 === "string" && typeof receipt.is === "string") {
      const reason = typeof receipt.reason === "string" ? receipt.reason : "";
      const proof = typeof receipt.proof === "string" ? receipt.proof : null;
      const { sha256, is, of } = receipt;
      found.push({ sha256, of: typeof of === "string" ? of : sha256, is, reason, proof });
    }
  return found;
}

function byDatabase(records: readonly Outgoing[], found: readonly Told[]): Map<string, Outcome[]> {
  const outcomes = new Map<string, Outcome[]>();
  const named = new Map(found.map((receipt) => [receipt.sha256, receipt]));
  for (const { db, id, rev, sha256 } of records) {
    const receipt = named.get(sha256);
    if (!receipt) continue;
    outcomes.set(db, [...(outcomes.get(db) ?? []), outcome([id, rev, receipt.is, receipt.reason || null])]);
  }
  return outcomes;
}
