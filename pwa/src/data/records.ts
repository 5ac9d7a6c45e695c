/** Reading: the documents of a database as this phone sees them, the server's winner and the own leaves. */
import type { JsonObject } from "../core/json.ts";
import { descends } from "../core/revision.ts";
import { order, type Stamps } from "../core/stamps.ts";
import { type Account, FieldError } from "./contract.ts";
import { decryptJson } from "./crypto.ts";
import { type AccountDb, type Head, keysOf, type Own, type OwnState, type Page, type Write } from "./db.ts";
import type { Env } from "./env.ts";

/** An open account: its database, its data key, and the pages opened so far. */
export interface Session {
  readonly env: Env;
  readonly account: Account;
  readonly db: AccountDb;
  readonly key: CryptoKey;
  /** The full credential; another one once the account has joined again in another tab. */
  credential: string;
  /** Pages never change, so a page that was decrypted once is kept while the account is open. */
  readonly pages: Map<number, Promise<Bodies>>;
}

/** Bodies by id, without _id and _rev. */
export type Bodies = Readonly<Record<string, JsonObject>>;

/** A revision with its body and its ancestry (digests, newest first, its own first). */
export interface Leaf {
  readonly rev: string;
  readonly revs: readonly string[];
  /** How many of `revs` the server has not been seen to hold. */
  readonly depth: number;
  readonly body: JsonObject;
}

export interface OwnLeaf extends Leaf {
  readonly state: OwnState;
  readonly reason: string | null;
  readonly saved: number;
  readonly carried?: number;
}

export interface Known {
  readonly id: string;
  /** The server's winner; null where it has none, or a deleted one. */
  readonly winner: Leaf | null;
  readonly own: readonly OwnLeaf[];
}

/** All documents of a database whose ids begin so. */
export async function readAll(session: Session, db: string, prefix = ""): Promise<Map<string, Known>> {
  // Ids are ASCII, so U+FFFF ends the range.
  const range = prefix ? IDBKeyRange.bound([db, prefix], [db, `${prefix}\uffff`]) : keysOf(db);
  const ownRange = prefix ? IDBKeyRange.bound([db, prefix], [db, `${prefix}\uffff`, []]) : keysOf(db);
  return read(session, range, ownRange);
}

/** One document; null where nothing of it is here. */
export async function readOne(session: Session, db: string, id: string): Promise<Known | null> {
  const all = await read(session, IDBKeyRange.only([db, id]), keysOf(db, id));
  return all.get(id) ?? null;
}

/**
 * The leaf that the screens show, and that a form opens on: the own one that was written last, else the winner. One
 * that the winner was built upon says nothing new: it only goes up again for a server that lost it.
 */
export function shown(known: Known | null): Leaf | OwnLeaf | null {
  if (!known) return null;
  const { winner } = known;
  const newer = known.own.filter(({ rev }) => !winner || !descends(winner.rev, winner.revs, rev));
  const own = newer.sort((a, b) => (topStamp(a.body) < topStamp(b.body) ? -1 : 1)).pop();
  return own ?? winner;
}

function topStamp(body: JsonObject): string {
  return order((body.stamps as Stamps | undefined)?.["*"] ?? "");
}

async function read(
  session: Session,
  range: IDBKeyRange,
  ownRange: IDBKeyRange,
): Promise<Map<string, Known>> {
  // One transaction, so that heads and pages belong together; what is encrypted is opened after it.
  const tx = session.db.transaction(["heads", "pages", "own"]);
  const [heads, own] = await Promise.all([
    tx.objectStore("heads").getAll(range),
    tx.objectStore("own").getAll(ownRange),
  ]);
  const wanted = new Set(
    heads.flatMap(({ page }) => (page === null || session.pages.has(page) ? [] : [page])),
  );
  const pages = await Promise.all([...wanted].map((n) => tx.objectStore("pages").get(n)));
  await tx.done;
  for (const page of pages) if (page) keepOpen(session, page);

  const known = new Map<string, { id: string; winner: Leaf | null; own: OwnLeaf[] }>();
  const at = (id: string) => {
    const entry = known.get(id) ?? { id, winner: null, own: [] };
    known.set(id, entry);
    return entry;
  };
  for (const head of heads) {
    const body = head.page === null ? undefined : (await session.pages.get(head.page))?.[head.id];
    if (body) at(head.id).winner = { ...winnerOf(head), body };
  }
  const opened = await Promise.all(own.map((leaf) => openOwn(session, leaf)));
  for (const [i, leaf] of own.entries()) at(leaf.id).own.push(opened[i] as OwnLeaf);
  return known;
}

function winnerOf(head: Head): Omit<Leaf, "body"> {
  return { rev: head.rev, revs: head.revs, depth: 0 };
}

/** Opens an own leaf. */
export async function openOwn(session: Session, leaf: Own): Promise<OwnLeaf> {
  const { rev, revs, depth, state, reason, saved, carried } = leaf;
  const body = await decryptJson<JsonObject>(session.env, session.key, leaf.body, ownPlace(leaf));
  return { rev, revs, depth, state, reason, saved, body, ...(carried === undefined ? {} : { carried }) };
}

function keepOpen(session: Session, page: Page): void {
  const n = page.n as number;
  session.pages.set(n, decryptJson<Bodies>(session.env, session.key, page.sealed, pagePlace(page.db)));
}

/**
 * Raises FieldError `missing` where the household that a document or a draft is about (its name ends with it) was
 * erased: nothing of it lives in any hamlet of this phone, and nothing that the phone itself wrote of it waits.
 */
export async function refuseErased(tx: Pick<Looked, "objectStore">, about: string): Promise<void> {
  const id = `household:${about.slice(-26)}`;
  let erased: boolean | undefined;
  for (const db of await tx.objectStore("databases").getAllKeys()) {
    const head = await tx.objectStore("heads").get([db, id]);
    if ((head?.page ?? null) !== null || (await tx.objectStore("own").count(keysOf(db, id)))) return;
    erased ||= head?.erased;
  }
  if (erased) throw new FieldError("missing", id);
}

/** What must hold still while that is looked up. */
export type Looked = Write<"heads" | "own" | "databases">;

/** What encryption binds an own leaf, and a page, to. */
export const ownPlace = ({ db, id, rev }: Pick<Own, "db" | "id" | "rev">) => `own ${db} ${id} ${rev}`;
export const pagePlace = (db: string) => `page ${db}`;
