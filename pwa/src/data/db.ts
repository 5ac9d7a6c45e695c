/**
 * What lies in IndexedDB, in one file, as a schema is read. Two kinds of database: `camket` names the accounts on this
 * phone, and `camket-<device>` holds one account.
 *
 * Ids, revisions and states lie open; bodies and the full credential are encrypted. For each document there is
 * the server's winner (a head, whose body lies in an encrypted page) and the own leaves that the server has not
 * settled yet (encrypted one by one). Pages are the blocks in which lists are opened: each holds the bodies of
 * one part of an answer, a newer body lies in a later page, and the head says which one counts (compact.ts).
 *
 * Nothing is encrypted inside a transaction: IndexedDB closes a transaction that waits for WebCrypto.
 */
import { type DBSchema, type IDBPDatabase, type IDBPObjectStore, type StoreNames, wrap } from "idb";
import { localDay } from "../core/wording.ts";
import { type Account, FieldError } from "./contract.ts";
import type { Wrapped } from "./crypto.ts";
import type { Bytes, Env } from "./env.ts";
import type { PublicKey } from "./seal.ts";

/** [database, document id] and [database, document id, revision]. */
export type DocKey = [db: string, id: string];
export type RevKey = [db: string, id: string, rev: string];

/** The server's winner. `revs` are digests, newest first, the winner's own first. */
export interface Head {
  db: string;
  id: string;
  rev: string;
  revs: string[];
  /** Where the body lies; null where the winner is deleted. */
  page: number | null;
  /** It was erased: a deletion that names no other place. */
  erased?: boolean;
}

/** Bodies of many documents of one database, encrypted as one JSON object {id: body}. */
export interface Page {
  n?: number;
  db: string;
  count: number;
  sealed: Bytes;
}

/**
 * unsent: to be sent. received: on the server, kept until a row shows what became of it. held: in quarantine,
 * waits for its outcome. refused: broke a rule; sent again only when the volunteer asks.
 */
export type OwnState = "unsent" | "received" | "held" | "refused";

/** What the saves since the last received revision wrote: the only stamps and times that a clock may shift. */
export interface Fresh {
  readonly stamps: readonly string[];
  readonly acts: readonly string[];
}

/** An own leaf. */
export interface Own {
  db: string;
  id: string;
  rev: string;
  revs: string[];
  /** How many of `revs` the server has not been seen to hold. */
  depth: number;
  body: Bytes;
  fresh: Fresh;
  state: OwnState;
  reason: string | null;
  /** Milliseconds, by the corrected clock. */
  saved: number;
  /** Known to the server once, and asked for again after it lost its position: not this phone's own writing. */
  again: boolean;
  /** The server has received it and lost it since: it goes up once more, whatever was built upon it meanwhile. */
  lost?: boolean;
  /** When (milliseconds, by the corrected clock) it was handed to somebody who carries it; absent for never. */
  carried?: number;
  /** It has left this phone on a link and may have arrived, answer or not. */
  sent?: boolean;
  /**
   * Its clock was wrong by so many milliseconds, and it had left the phone before that was known: the server is asked
   * whether it has it before it moves (shift.ts).
   */
  late?: number;
  /** What was told since, upon a late one, by the clock that was put right: that does not move with it. */
  right?: Fresh;
  /** What it was written upon that had left the phone, newest first: the server may have that, answer or not. */
  below?: readonly Below[];
}

/** A leaf that another was saved upon, and what it had brought. */
export interface Below {
  readonly rev: string;
  readonly fresh: Fresh;
}

/** What a leaf became whose clock had been wrong, for forms that were open by then (shift.ts): `rev` took its place. */
export interface Moved {
  readonly rev: string;
  /** Digests of the revisions that told the old times: its own, then those that it was saved upon. */
  readonly line: readonly string[];
  readonly stamps: readonly (readonly [old: string, now: string])[];
  readonly times: readonly (readonly [act: string, at: string])[];
}

/** A sealed record that has not been handed in. Needs no PIN. */
export interface Outgoing {
  db: string;
  id: string;
  rev: string;
  /** base64url */
  record: string;
  /** Hex, of the bytes: how a receipt names it. */
  sha256: string;
}

/** A sealed record of another phone, and what the office said of it once it was handed in. */
export interface Carried {
  /** Hex, of the record's bytes. */
  sha256: string;
  /** The key it is sealed to: the first line of its bundle. */
  keyId: string;
  /** base64url; "" once it was handed in, for then the receipt is all that is carried. */
  record: string;
  /** Null until it was handed in. */
  receipt: Receipt | null;
  /** Milliseconds, by the phone's clock: when it was taken, then when it was answered. */
  at: number;
}

/** What the office said of a sealed record; `proof` is null where it could not tell whose it was. */
export interface Receipt {
  readonly is: string;
  readonly reason: string;
  readonly proof: string | null;
}

export interface Database {
  name: string;
  /** The exchange's position (null: it vouches for nothing yet) and, apart from it, the `since` of plain CouchDB. */
  position: string | null;
  since: string | null;
  /** What came by plain CouchDB behind the exchange's position, which does not vouch for it. */
  plain?: readonly string[];
  /** No longer held: its lists are gone; own leaves still go up. */
  gone: boolean;
  /** Something must not stay in old pages (erased, deleted): rewrite them. */
  rewrite: boolean;
}

export interface Clock {
  /** The last stamp that was given out, "" for none. */
  last: string;
  /** Milliseconds to add to the phone's clock. */
  offset: number;
}

export interface Keys {
  pin: Wrapped;
  /** The data key sealed to the server's recovery key, base64url. */
  recovery: string;
  /** The full credential, encrypted with the data key. */
  credential: Bytes;
  /** May only hand in sealed records and ask for recovery, so it may lie open. */
  send: string;
  seal: PublicKey;
}

/** phone: still to be sent. received: the server has all of it; the phone keeps the thumbnail. */
export type PhotoState = "phone" | "received" | "refused";

/** What is known of a picture that was taken on this phone; its bytes lie in `pictures`. */
export interface Photo {
  sha256: string;
  hamlet: string;
  mime: "image/webp" | "image/jpeg";
  size: number;
  width: number;
  height: number;
  /** Milliseconds, by the phone's clock. */
  taken: number;
  state: PhotoState;
  /** Where it is shown, noted when the inspection that says so left this phone before the picture did. */
  at?: { readonly inspection: string; readonly item: string };
  /** On how many days nothing named it, and when it was looked at last, by the phone's clock (upload.ts). */
  unnamed?: { readonly at: number; readonly days: number };
  reason: string | null;
  /** The phone was revoked, and it went once more though it had been refused. */
  again?: boolean;
  /** The document `photo:<sha256>` as it travels, encrypted, once it was written; `told`: the server has it. */
  doc: Bytes | null;
  told: boolean;
  /** Bytes that the server was seen to hold; null before any was on its way. */
  offset: number | null;
}

export type PictureKey = [sha256: string, size: "full" | "thumb"];

export interface SyncNote {
  lastSync: number | null;
  problem: string | null;
  /** The exchange was refused, and plain CouchDB spoken. */
  plain?: boolean;
  /** The server, asked since, did not know this phone: what is here stays, until it has joined or synced again. */
  unknown?: boolean;
  /** Why the server put some records off the last time. */
  later?: string | null;
}

export interface Meta {
  account: Account;
  keys: Keys;
  clock: Clock;
  moved: readonly Moved[];
  sync: SyncNote;
  bytes: { month: string; count: number };
  photos: { mobileData: boolean };
  /** Photographs that the office erased: how far that was asked and when; how many own ones went, the last at `at`. */
  erased: { since?: Record<string, string>; asked?: number; at?: number; count?: number };
  /** What the server said of records that it took: where a household is by now. The latest last. */
  said: { readonly at: number; readonly reason: string }[];
  attempts: { wrong: number; until: number };
  /** The phone was revoked and all is with the server: nothing is saved any more, and the account is being removed. */
  leaving: true;
  /** Revoked, it has handed in anew what a server in this life may have refused or lost (farewell.ts). */
  given: string;
  recovery: {
    id: string;
    pair: CryptoKeyPair;
    wrapped: string | null;
    state: "pending" | "approved" | "refused";
  };
}

/** Own values that lost against others; kept until the volunteer has seen it. `values`: encrypted, overruled.ts. */
export interface Overruled {
  db: string;
  id: string;
  fields: string[];
  values?: Bytes;
}

interface AccountSchema extends DBSchema {
  meta: { key: keyof Meta; value: Meta[keyof Meta] };
  databases: { key: string; value: Database };
  heads: { key: DocKey; value: Head };
  pages: { key: number; value: Page; indexes: { db: string } };
  own: { key: RevKey; value: Own };
  outbox: { key: RevKey; value: Outgoing };
  /** Records of other phones, by the digest of their bytes; see courier.ts. */
  carried: { key: string; value: Carried };
  overruled: { key: DocKey; value: Overruled };
  /** Forms that are half filled in, encrypted; see drafts.ts. */
  drafts: { key: string; value: Bytes };
  photos: { key: string; value: Photo };
  /** Encrypted; see photos.ts. */
  pictures: { key: PictureKey; value: Bytes };
}
interface PhoneSchema extends DBSchema {
  accounts: { key: string; value: Account };
  /** `front`: the account in use. */
  chosen: { key: "front"; value: string };
}

export type AccountDb = IDBPDatabase<AccountSchema>;
export type PhoneDb = IDBPDatabase<PhoneSchema>;
export type StoreName = StoreNames<AccountSchema>;
/** A transaction that may write to (at least) these stores. */
export interface Write<S extends StoreName> {
  objectStore<N extends S>(name: N): IDBPObjectStore<AccountSchema, StoreName[], N, "readwrite">;
}

/** `camket`: which accounts there are. */
export function openPhone(env: Env): Promise<PhoneDb> {
  return opened(env, "camket", 1, { accounts: { keyPath: "id" }, chosen: {} });
}

/** `camket-<device>`: one account. */
export function openAccount(env: Env, device: string): Promise<AccountDb> {
  return opened(env, `camket-${device}`, 3, {
    meta: {},
    databases: { keyPath: "name" },
    heads: { keyPath: ["db", "id"] },
    pages: { keyPath: "n", autoIncrement: true, index: "db" },
    own: { keyPath: ["db", "id", "rev"] },
    outbox: { keyPath: ["db", "id", "rev"] },
    carried: { keyPath: "sha256" },
    overruled: { keyPath: ["db", "id"] },
    drafts: {},
    photos: { keyPath: "sha256" },
    pictures: {},
  });
}

interface Store extends IDBObjectStoreParameters {
  /** A field to find records by. */
  readonly index?: string;
}

/**
 * Opens a database; a higher `version` makes the stores that an older app did not have. Raises FieldError `blocked`
 * where an older app in another tab does not let go, `outdated` where a newer one has been here.
 */
function opened<S extends DBSchema>(
  env: Env,
  name: string,
  version: number,
  stores: Readonly<Record<string, Store>>,
): Promise<IDBPDatabase<S>> {
  // Not idb's openDB: that one takes the global IndexedDB, and ours is passed in.
  const request = env.indexedDB.open(name, version);
  request.onupgradeneeded = () => {
    for (const [store, { index, ...how }] of Object.entries(stores)) {
      if (request.result.objectStoreNames.contains(store)) continue;
      const made = request.result.createObjectStore(store, how);
      if (index) made.createIndex(index, index);
    }
  };
  return new Promise((resolve, reject) => {
    let waiting = true;
    request.onblocked = () => {
      waiting = false;
      reject(new FieldError("blocked"));
    };
    (wrap(request) as Promise<IDBPDatabase<S>>).then(
      (db) => {
        if (!waiting) return db.close(); // nobody waits any more; whoever tries again finds the way free
        db.onversionchange = () => db.close(); // another tab deletes or upgrades it
        resolve(db);
      },
      (error) => reject(error.name === "VersionError" ? new FieldError("outdated") : error),
    );
  });
}

/** Calls once where a connection ends that nobody here closed: upgraded or deleted by another tab, or cleared away. */
export function watch(db: AccountDb, ended: () => void): void {
  db.onclose = ended;
  db.onversionchange = () => {
    db.close();
    ended();
  };
}

/** Removes an account and all that it holds from the phone. */
export async function dropAccount(env: Env, device: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const request = env.indexedDB.deleteDatabase(`camket-${device}`);
    request.onsuccess = () => resolve();
    request.onerror = () => reject(request.error);
  });
}

/** All keys of one database, or of one document in it. */
export function keysOf(...prefix: [string] | [string, string]): IDBKeyRange {
  return IDBKeyRange.bound(prefix, [...prefix, []]);
}

/** One value of `meta`, or undefined. */
export async function meta<K extends keyof Meta>(db: AccountDb, key: K): Promise<Meta[K] | undefined> {
  return (await db.get("meta", key)) as Meta[K] | undefined;
}

/**
 * One transaction that is on disk when the promise resolves. Rejects, with nothing written, where `work` throws
 * or the browser refuses. `work` may await nothing but the transaction's own requests.
 */
export async function write<const S extends StoreName, T>(
  db: AccountDb,
  stores: readonly S[],
  work: (tx: Write<S>) => Promise<T>,
  durability: IDBTransactionDurability = "strict",
): Promise<T> {
  // strict: the browser may not call it done before the disk does (Chrome 83 and later; others ignore it).
  const tx = db.transaction(stores as S[], "readwrite", { durability });
  try {
    const result = await work(tx as unknown as Write<S>);
    await tx.done;
    return result;
  } catch (error) {
    tx.done.catch(() => {}); // its failure is the one that is already on its way
    try {
      tx.abort();
    } catch {
      // already aborted by the failure itself
    }
    throw error;
  }
}

/** Whether a write failed because the phone has no room. */
export function isFull(error: unknown): boolean {
  return error instanceof Error && error.name === "QuotaExceededError";
}

/** What a person is told where something was not stored: FieldError `storage_full` or `not_saved`, or its own. */
export function stored<T>(writing: Promise<T>): Promise<T> {
  return writing.catch((error) => {
    if (error instanceof FieldError) throw error;
    throw new FieldError(isFull(error) ? "storage_full" : "not_saved", String(error));
  });
}

/** Adds what a request cost to the bytes of this month. A figure for the screen: nothing waits for it, or fails. */
export function meter({ env, db }: { readonly env: Env; readonly db: AccountDb }): (bytes: number) => void {
  const month = localDay(env.now()).slice(0, 7);
  const add = async (tx: Write<"meta">, bytes: number) => {
    const before = (await tx.objectStore("meta").get("bytes")) as Meta["bytes"] | undefined;
    const count = (before?.month === month ? before.count : 0) + bytes;
    await tx.objectStore("meta").put({ month, count }, "bytes");
  };
  return (bytes) => {
    write(db, ["meta"], (tx) => add(tx, bytes)).catch(() => {});
  };
}
