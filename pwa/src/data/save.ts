/**
 * Saving: each draft becomes an own leaf, a child of the revision that its form opened on, and a sealed record.
 *
 * Encryption comes first, then one transaction. The clock's last stamp is what two tabs compete for: the
 * transaction finds it as it was when the stamps were given out, or everything is done again.
 */
import type { JsonObject } from "../core/json.ts";
import { digest, generation } from "../core/revision.ts";
import { broken } from "../core/rules.ts";
import { LATEST, type Stamps, tick } from "../core/stamps.ts";
import { FieldError } from "./contract.ts";
import { type Clock, type Fresh, type Meta, meta, type Own, stored, type Write, write } from "./db.ts";
import { minted, type Prepared, prepare } from "./outgoing.ts";
import type { Leaf, Session } from "./records.ts";
import { schemas } from "./schemas.ts";

/** When a save happens: a stamp of its own, and the corrected time. */
export interface Moment {
  readonly stamp: string;
  /** Milliseconds since 1970. */
  readonly ms: number;
  /** UTC, YYYY-MM-DDTHH:MM:SSZ */
  readonly at: string;
}

export interface Draft {
  readonly db: string;
  readonly id: string;
  /** The leaf that the form opened on; null for a new document. */
  readonly base: Leaf | null;
  /** The new body, and the acts that it adds. Called again if another tab saved in between. */
  readonly make: (moment: Moment) => { readonly body: JsonObject; readonly acts: readonly string[] };
}

const TRIES = 5;

/** Saves all drafts or none. On disk when it resolves; raises FieldError `invalid`, `wrong_clock`, `storage_full`, `not_saved`. */
export function save(session: Session, drafts: readonly Draft[]): Promise<void> {
  return stored(saved(session, drafts));
}

async function saved(session: Session, drafts: readonly Draft[]): Promise<void> {
  for (let left = TRIES; left > 0; left--) {
    const [clock, keys] = await Promise.all([meta(session.db, "clock"), meta(session.db, "keys")]);
    if (!clock || !keys) throw new FieldError("not_saved", "the account is incomplete");
    const ms = session.env.now() + clock.offset;
    if (ms > LATEST) throw new FieldError("wrong_clock");
    let last = clock.last;
    const prepared: Prepared[] = await Promise.all(
      drafts.map((draft) => {
        last = tick(ms, session.account.id, seen(last, draft.base));
        return child(session, keys, draft, { stamp: last, ms, at: instant(ms) });
      }),
    );
    if (await put(session, drafts, prepared, clock, last)) {
      session.env.channel.post("records");
      return;
    }
  }
  throw new FieldError("not_saved", "other tabs keep saving");
}

/** `YYYY-MM-DDTHH:MM:SSZ` */
export function instant(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`;
}

function* seen(last: string, base: Leaf | null): Iterable<string> {
  if (last) yield last;
  yield* Object.values((base?.body.stamps ?? {}) as Stamps);
}

function child(
  session: Session,
  keys: Meta["keys"],
  { db, id, base, make }: Draft,
  moment: Moment,
): Promise<Prepared> {
  const { body, acts } = make(moment);
  const rule = broken(schemas, { ...body, _id: id });
  if (rule) throw new FieldError("invalid", `${rule.place}: ${rule.key}`);
  const rev = minted(session, base ? generation(base.rev) + 1 : 1);
  const revs = [digest(rev), ...(base?.revs ?? [])].slice(0, 100);
  const depth = (base?.depth ?? 0) + 1;
  const fresh: Fresh = { stamps: [moment.stamp], acts };
  return prepare(session, keys, { db, id, rev, revs, depth, body }, fresh, moment.ms);
}

/** False where another tab saved first. */
function put(
  session: Session,
  drafts: readonly Draft[],
  prepared: readonly Prepared[],
  clock: Clock,
  last: string,
): Promise<boolean> {
  return write(session.db, ["meta", "own", "outbox"], async (tx) => {
    const now = (await tx.objectStore("meta").get("clock")) as Clock;
    if (now.last !== clock.last || now.offset !== clock.offset) return false;
    await tx.objectStore("meta").put({ ...now, last }, "clock");
    for (const [i, { own, outgoing }] of prepared.entries()) {
      const parent = await replaced(tx, own, drafts[i]?.base?.rev);
      await tx.objectStore("own").put(parent ? inheriting(own, parent) : own);
      if (outgoing) await tx.objectStore("outbox").put(outgoing);
    }
    return true;
  });
}

/**
 * Takes the own leaf away of which the new one is a child, where nobody else can have it: it is a leaf no more. What
 * has left this phone, and was not refused, stays until the server says that it has it: whoever had it may have told
 * that it arrived, and restored from a backup the server may know it by this child's ancestry alone.
 */
async function replaced(
  tx: Write<"meta" | "own" | "outbox">,
  { db, id }: Own,
  base: string | undefined,
): Promise<Own | undefined> {
  if (base === undefined) return undefined;
  const parent = await tx.objectStore("own").get([db, id, base]);
  if (!parent || standsAlone(parent) || mayBeOut(parent)) return parent;
  await tx.objectStore("own").delete([db, id, base]);
  await tx.objectStore("outbox").delete([db, id, base]);
  return parent;
}

/** The server has had it as it is: it goes up by itself, if at all. */
const standsAlone = ({ state, lost, again }: Own) => state === "received" || lost === true || again;

const mayBeOut = ({ state, sent, carried }: Own) =>
  state === "held" || (state === "unsent" && (sent === true || carried !== undefined));

/** What an unsent parent had written is still unsent in its child, for all that this phone knows. */
function inheriting(own: Own, parent: Own): Own {
  if (parent.state === "received") return { ...own, depth: 1 };
  if (standsAlone(parent)) return own;
  const { rev, fresh, sent, carried, below = [] } = parent;
  const stamps = [...fresh.stamps, ...own.fresh.stamps];
  const left = sent || carried !== undefined ? [{ rev, fresh }, ...below] : below;
  return {
    ...own,
    fresh: { stamps, acts: [...fresh.acts, ...own.fresh.acts] },
    ...(left.length > 0 ? { below: left } : {}),
  };
}
