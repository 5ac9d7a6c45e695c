/**
 * Several documents under one seal: one ephemeral key, one credential and one gzip over all of them, since documents
 * of a kind are much alike. A pledge on paper takes 116 bytes so, one by touch 157 (the digest of its strokes does not
 * compress), and 520 to 580 under a seal of its own: twenty of them fit a few QR codes.
 *
 *   {"send": credential, "docs": [{"clock": ms when saved, "db": name, "doc": with _id, _rev, _revisions}, …]}
 *
 * The server gives each document its own receipt, under the name that `nameOf` gives it here and `name_of` there
 * (`server/bundle.py`): nothing has to be remembered of what was put under which seal.
 */
import type { JsonObject } from "../core/json.ts";
import { fromBase64url, hex, utf8 } from "./bytes.ts";
import type { Bytes, Env } from "./env.ts";
import { type PublicKey, packed, RECORD, SEVERAL, seal } from "./seal.ts";

export interface Entry {
  /** Milliseconds, by the corrected clock: when it was saved. */
  readonly clock: number;
  readonly db: string;
  readonly doc: JsonObject;
}

/** Seals them together: at most 100, of which the server takes each by itself. Null where this browser cannot. */
export async function sealed(
  env: Pick<Env, "subtle" | "random">,
  to: PublicKey,
  send: string,
  docs: readonly Entry[],
): Promise<Bytes | null> {
  const plain = await packed({ send, docs });
  return plain && seal(env, to, SEVERAL, plain, docs.length);
}

/** What receipts call a document that lay among others, hex. */
export async function nameOf(
  { subtle }: Pick<Env, "subtle">,
  { db, id, rev }: { readonly db: string; readonly id: string; readonly rev: string },
): Promise<string> {
  return hex(new Uint8Array(await subtle.digest("SHA-256", utf8(`camket document 1\n${db}\n${id}\n${rev}`))));
}

/** How many documents a sealed record (base64url) holds, by its head; 0 for what is none. */
export function documentsIn(record: string): number {
  const [version, several = 0] = fromBase64url(record.slice(0, 4));
  if (version === RECORD.version) return 1;
  return version === SEVERAL.version ? several : 0;
}
