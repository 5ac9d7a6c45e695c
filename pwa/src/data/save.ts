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
import {
  type Clock,
  type Fresh,
  type Meta,
  type Moved,
  meta,
  type Own,
  stored,
  type Write,
  write,
} from "./db.ts";
import { minted, type Prepared, prepare } from "./outgoing.ts";
import { type Leaf, refuseErased, type Session } from "./records.ts";
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
  /**
   * The new body, and the acts that it adds, upon the base as it stands by then (a wrong clock may have been put
   * right). Called again if another tab saved in between.
   */
  readonly make: (
    moment: Moment,
    base: Leaf | null,
  ) => { readonly body: JsonObject; readonly acts: readonly string[] };
}

const TRIES = 5;

/** Saves all drafts or none. On disk when it resolves; raises FieldError `invalid`, `wrong_clock`, `missing` (erased since), `storage_full`, `not_saved`. */
export function save(session: Session, drafts: readonly Draft[]): Promise<void> {
  return stored(saved(session, drafts));
}

async function saved(session: Session, drafts: readonly Draft[]): Promise<void> {
  for (let left = TRIES; left > 0; left--) {
    const [clock, keys, moved = []] = await Promise.all([
      meta(session.db, "clock"),
      meta(session.db, "keys"),
      meta(session.db, "moved"),
    ]);
    if (!clock || !keys) throw new FieldError("not_saved", "the account is incomplete");
    const upon = await standing(drafts, moved);
    const ms = session.env.now() + clock.offset;
    if (ms > LATEST) throw new FieldError("wrong_clock");
    let last = clock.last;
    const prepared: Prepared[] = await Promise.all(
      upon.map((draft) => {
        last = tick(ms, session.account.id, seen(last, draft.base));
        return child(session, keys, draft, { stamp: last, ms, at: instant(ms) });
      }),
    );
    if (await put(session, upon, prepared, { clock, moved }, last)) {
      session.env.channel.post("records");
      return;
    }
  }
  throw new FieldError("not_saved", "other tabs keep saving");
}

/** The drafts upon what their forms opened on, as it stands: a form may have been open while the clock was put right. */
async function standing(drafts: readonly Draft[], moved: readonly Moved[]): Promise<readonly Draft[]> {
  if (moved.length === 0) return drafts;
  const { shift } = await import("./apart.ts");
  return drafts.map((draft) => ({ ...draft, base: draft.base && shift.standing(draft.base, moved) }));
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
  const { body, acts } = make(moment, base);
  const rule = broken(schemas, { ...body, _id: id });
  if (rule) throw new FieldError("invalid", `${rule.place}: ${rule.key}`);
  const rev = minted(session, base ? generation(base.rev) + 1 : 1);
  const revs = [digest(rev), ...(base?.revs ?? [])].slice(0, 100);
  const depth = (base?.depth ?? 0) + 1;
  const fresh: Fresh = { stamps: [moment.stamp], acts };
  return prepare(session, keys, { db, id, rev, revs, depth, body }, fresh, moment.ms);
}

/** False where another tab saved first, or something moved. */
function put(
  session: Session,
  drafts: readonly Draft[],
  prepared: readonly Prepared[],
  { clock, moved }: { readonly clock: Clock; readonly moved: readonly Moved[] },
  last: string,
): Promise<boolean> {
  return write(session.db, ["meta", "own", "outbox", "heads", "databases"], async (tx) => {
    const now = (await tx.objectStore("meta").get("clock")) as Clock;
    const since = ((await tx.objectStore("meta").get("moved")) ?? []) as readonly Moved[];
    // Removed a moment ago: what came first decides, and there is no third.
    if (await tx.objectStore("meta").get("leaving")) throw new FieldError("not_saved", "the account leaves");
    if (now.last !== clock.last || now.offset !== clock.offset || newest(since) !== newest(moved))
      return false;
    for (const { id } of drafts) await refuseErased(tx, id);
    await tx.objectStore("meta").put({ ...now, last }, "clock");
    for (const [i, { own, outgoing }] of prepared.entries()) {
      const parent = await replaced(tx, own, drafts[i]?.base?.rev);
      await tx.objectStore("own").put(parent ? inheriting(own, parent) : own);
      if (outgoing) await tx.objectStore("outbox").put(outgoing);
    }
    return true;
  });
}

const newest = (moved: readonly Moved[]) => moved[moved.length - 1]?.rev;

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
  const { rev, fresh, sent, carried, below = [], late, right } = parent;
  const left = sent || carried !== undefined ? [{ rev, fresh }, ...below] : below;
  return {
    ...own,
    fresh: both(fresh, own.fresh),
    ...(left.length > 0 ? { below: left } : {}),
    ...(late === undefined ? {} : { late, right: right ? both(right, own.fresh) : own.fresh }),
  };
}

const both = (one: Fresh, two: Fresh): Fresh => ({
  stamps: [...one.stamps, ...two.stamps],
  acts: [...one.acts, ...two.acts],
});
