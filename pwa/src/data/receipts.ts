/**
 * Receipts that travelled: what the office said of sealed records, brought back by whoever carried them.
 *
 *   camket-receipts 1
 *   <SHA-256 of the record, or the name of the document (several.ts), hex> <outcome> <proof> [<reason>]
 *
 * A courier is nobody that one must trust, so each receipt proves itself: the proof is an HMAC keyed by the send-only
 * credential that lies in the record, sealed, which this phone and the server know and nobody between them
 * (`server/sealed.py`). Without a valid proof nothing is believed, and the record stays "on this phone".
 */
import { fromBase64url, utf8 } from "./bytes.ts";
import { commitOutcomes } from "./commit.ts";
import type { Taken } from "./contract.ts";
import { type Carried, meta, type Outgoing, type Receipt } from "./db.ts";
import type { Env } from "./env.ts";
import type { Closed } from "./handin.ts";
import { nameOf } from "./several.ts";
import { type Outcome, outcome } from "./wire.ts";

export const HEAD = "camket-receipts 1";

/** The receipts among these that prove themselves, as a text; the owner's phone would believe no other. */
export function written(carried: readonly Carried[]): string {
  const lines = carried.flatMap(({ sha256, receipt }) =>
    receipt?.proof ? [[sha256, receipt.is, receipt.proof, oneLine(receipt.reason)].join(" ").trimEnd()] : [],
  );
  return [HEAD, ...lines, ""].join("\n");
}

/** Reasons of the server are one line; a proof is over exactly what it said, so one that is not is left out. */
const oneLine = (reason: string) => (/[\r\n]/.test(reason) ? "" : reason);

interface Line extends Receipt {
  readonly sha256: string;
}

function read(line: string): Line | null {
  const found = /^([0-9a-f]{64}) ([a-z_]{1,20}) ([\w-]{22})(?: (.*))?$/.exec(line);
  if (!found) return null;
  const [, sha256, is, proof, reason = ""] = found as unknown as [string, string, string, string, string?];
  return { sha256, is, proof, reason };
}

/** Believes what can be believed: exactly the records that the office answered for change their place. */
export async function believe({ env, db }: Closed, lines: readonly string[]): Promise<Taken> {
  const [keys, mine] = await Promise.all([meta(db, "keys"), db.getAll("outbox")]);
  // A record that was handed over by file and by codes has two names; whichever comes first settles it.
  const named = async (one: Outgoing) =>
    [one.sha256, await nameOf(env, one)].map((name) => [name, one] as const);
  const bySha = new Map((await Promise.all(mine.map(named))).flat());
  const verify = await verifier(env, keys?.send ?? "");
  const outcomes = new Map<string, Outcome[]>();
  const told = { settled: 0, others: 0, forged: 0 };
  for (const text of lines) {
    const line = read(text);
    const record = line && bySha.get(line.sha256);
    if (!line) told.forged += 1;
    else if (!record) told.others += 1;
    else if (!(await verify(line))) told.forged += 1;
    else {
      told.settled += 1;
      for (const [name, one] of bySha) if (one === record) bySha.delete(name);
      outcomes.set(record.db, [...(outcomes.get(record.db) ?? []), outcomeOf(record, line)]);
    }
  }
  for (const [name, here] of outcomes) await commitOutcomes({ env, db }, name, here);
  return { kind: "receipts", ...told };
}

function outcomeOf({ id, rev }: Outgoing, { is, reason }: Receipt): Outcome {
  return outcome([id, rev, is, reason || null]);
}

async function verifier(env: Env, send: string): Promise<(line: Line) => Promise<boolean>> {
  const how = { name: "HMAC", hash: "SHA-256" };
  const key = await env.subtle.importKey("raw", utf8(send), how, false, ["sign"]);
  return async ({ sha256, is, reason, proof }) => {
    const said = utf8(`camket receipt 1\n${sha256}\n${is}\n${reason}`);
    const whole = new Uint8Array(await env.subtle.sign("HMAC", key, said));
    const claimed = fromBase64url(proof ?? "");
    return claimed.length === 16 && claimed.every((byte, at) => byte === whole[at]);
  };
}
