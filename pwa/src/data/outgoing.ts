/** Own leaves and sealed records as they are stored: everything encrypted before a transaction opens. */
import type { JsonObject } from "../core/json.ts";
import { revisions } from "../core/revision.ts";
import { hex, toBase64url } from "./bytes.ts";
import { encryptJson } from "./crypto.ts";
import type { Fresh, Keys, Outgoing, Own } from "./db.ts";
import type { Env } from "./env.ts";
import { type Leaf, ownPlace, type Session } from "./records.ts";
import { packed, RECORD, seal } from "./seal.ts";

/** A revision to store: named, with its ancestry. */
export interface Revision extends Leaf {
  readonly db: string;
  readonly id: string;
}

export interface Prepared {
  readonly own: Own;
  /** Null where this browser cannot seal. */
  readonly outgoing: Outgoing | null;
}

/** Ancestors beside the unsent ones that travel with a document, so that it finds its place in the tree. */
const KNOWN_ANCESTORS = 3;

/** A document as a peer takes it: with `_id`, `_rev` and as much ancestry as it needs. */
export function travelling({ id, rev, revs, depth, body }: Omit<Revision, "db">): JsonObject {
  const _revisions = revisions(rev, revs, depth + KNOWN_ANCESTORS);
  return { ...body, _id: id, _rev: rev, _revisions };
}

/** Encrypts a new own leaf and seals its record. */
export async function prepare(
  session: Session,
  keys: Pick<Keys, "send" | "seal">,
  revision: Revision,
  fresh: Fresh,
  clock: number,
): Promise<Prepared> {
  const { env, key } = session;
  const { db, id, rev, revs, depth } = revision;
  const own: Own = {
    ...{ db, id, rev, depth, fresh },
    revs: [...revs],
    body: await encryptJson(env, key, revision.body, ownPlace(revision)),
    state: "unsent",
    reason: null,
    saved: clock,
    again: false,
  };
  return { own, outgoing: await sealed(env, keys, revision, clock) };
}

/** Seals a revision; null where this browser cannot. */
export async function sealed(
  env: Pick<Env, "subtle" | "random">,
  keys: Pick<Keys, "send" | "seal">,
  revision: Revision,
  clock: number,
): Promise<Outgoing | null> {
  const { db, id, rev } = revision;
  const plain = await packed({ send: keys.send, clock, db, doc: travelling(revision) });
  if (!plain) return null;
  const record = await seal(env, keys.seal, RECORD, plain);
  const sha256 = hex(new Uint8Array(await env.subtle.digest("SHA-256", record)));
  return { db, id, rev, record: toBase64url(record), sha256 };
}

/** A new revision of the phone's own: 128 random bits, minted once. */
export function minted(session: Session, generation: number): string {
  return `${generation}-${hex(session.env.random(16))}`;
}
