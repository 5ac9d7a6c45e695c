/** TypeScript's side of the tables that both languages must agree on (tests/vectors). */
import assert from "node:assert/strict";
import { createHash, webcrypto } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { canonical, NotCanonical } from "../src/core/canonical.ts";
import type { Act } from "../src/core/documents.ts";
import { edited } from "../src/core/edit.ts";
import type { Json, JsonObject } from "../src/core/json.ts";
import { countsAsSigned, outcome } from "../src/core/outcome.ts";
import { type Decision, reviewed, state } from "../src/core/review.ts";
import { broken } from "../src/core/rules.ts";
import { tick } from "../src/core/stamps.ts";
import { fromBase64url } from "../src/data/bytes.ts";
import { schemas } from "../src/data/schemas.ts";
import { open, RECORD, SEVERAL, unpacked } from "../src/data/seal.ts";
import { documentsIn, nameOf } from "../src/data/several.ts";

declare const __PWA__: string;
const table = <T>(name: string): (T & { story: string })[] =>
  JSON.parse(readFileSync(join(__PWA__, "..", "tests", "vectors", `${name}.json`), "utf-8"));

test("canonical text", () => {
  for (const { story, value, text } of table<{ value: Json; text: string | null }>("canonical"))
    if (text === null) assert.throws(() => canonical(value), NotCanonical, story);
    else assert.equal(canonical(value), text, story);
});

test("the next stamp", () => {
  for (const { story, last, now, next } of table<{ last: string | null; now: number; next: string }>(
    "stamps",
  ))
    assert.equal(tick(now, "phone1", last ? [last] : []), next, story);
});

interface Write {
  readonly before: JsonObject | null;
  readonly type: string;
  readonly fields: JsonObject;
  readonly clear?: readonly string[];
  readonly acts: readonly Act[];
  readonly stamp: string;
  readonly by: string;
  readonly after: JsonObject;
}

test("a write", () => {
  for (const { story, before, type, fields, clear = [], acts, stamp, by, after } of table<Write>("writes")) {
    const changes = { ...fields, ...Object.fromEntries(clear.map((field) => [field, undefined])) };
    assert.deepEqual(edited(before, type, { fields: changes, acts }, stamp, by), after, story);
  }
});

interface Outcome {
  readonly acts: readonly string[];
  readonly is: string;
  readonly signed: boolean;
}

/** Acts from their short forms, in the order in which they happened. */
function actsOf(short: readonly string[]): Act[] {
  return short.map((text, n) => {
    const [kind, word] = text.split(" ");
    const about = kind === "visit" ? { result: word } : word ? { target: word.padStart(26, "0") } : {};
    const at = `2026-03-01T02:00:${String(n).padStart(2, "0")}Z`;
    const id = String(n).padStart(26, "0");
    return { id, at, by: "user1", kind, method: "paper_signed", ...about } as unknown as Act;
  });
}

test("what acts come to", () => {
  for (const { story, acts, is, signed } of table<Outcome>("outcomes")) {
    assert.equal(outcome(actsOf(acts)), is, story);
    assert.equal(countsAsSigned(actsOf(acts), false), signed, story);
  }
});

test("a rule of content", () => {
  for (const { story, doc, key } of table<{ doc: JsonObject; key: string | null }>("rules"))
    assert.equal(broken(schemas, doc)?.key ?? null, key, story);
});

interface Reviews {
  readonly digests: readonly { story: string; doc: JsonObject; text: string; digest: string }[];
  readonly states: readonly { story: string; now: string; decision: Decision | null; is: string }[];
}
const reviews: Reviews = JSON.parse(
  readFileSync(join(__PWA__, "..", "tests", "vectors", "reviews.json"), "utf-8"),
);

test("the digest of what is reviewed", () => {
  for (const { story, doc, text, digest } of reviews.digests) {
    assert.equal(reviewed(doc), text, story);
    assert.equal(createHash("sha256").update(text).digest("hex"), digest, story);
  }
});

test("what a review comes to", () => {
  for (const { story, now, decision, is } of reviews.states)
    assert.equal(state(now, decision ?? undefined), is, story);
});

interface SealedDocument {
  readonly clock: number;
  readonly db: string;
  readonly doc: JsonObject & { readonly _id: string; readonly _rev: string };
  readonly name: string;
}

test("what lies in a sealed record and what receipts call it", async () => {
  const told = JSON.parse(readFileSync(join(__PWA__, "..", "tests", "vectors", "sealed.json"), "utf-8"));
  const env = { subtle: webcrypto.subtle as SubtleCrypto, random: (n: number) => new Uint8Array(n) };
  const { d, ...half } = told.key;
  const curve = { name: "ECDH", namedCurve: "P-256" };
  const pair = {
    privateKey: await env.subtle.importKey("jwk", { ...half, d }, curve, false, ["deriveBits"]),
    publicKey: await env.subtle.importKey("jwk", half, curve, true, []),
  };
  for (const { story, version, record, send, docs } of told.records) {
    const purpose = version === 1 ? RECORD : SEVERAL;
    const opened = await unpacked(await open(env, pair, told.key_id, purpose, fromBase64url(record)));
    const entries: SealedDocument[] = docs.map((n: number) => told.documents[n]);
    const plain = entries.map(({ clock, db, doc }) => ({ clock, db, doc }));
    assert.deepEqual(opened, version === 1 ? { send, ...plain[0] } : { send, docs: plain }, story);
    assert.equal(documentsIn(record), docs.length, story);
    for (const { db, doc, name } of entries)
      assert.equal(await nameOf(env, { db, id: doc._id, rev: doc._rev }), name);
  }
});
