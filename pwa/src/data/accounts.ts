/** Accounts on this phone: joining, the PIN, opening and closing, a forgotten PIN. */

import type { Role } from "../core/documents.ts";
import { isObject, type JsonObject } from "../core/json.ts";
import { EARLIEST } from "../core/stamps.ts";
import { invitation } from "../core/ulid.ts";
import { fromBase64url, fromUtf8, toBase64url, utf8 } from "./bytes.ts";
import { newDatabase } from "./commit.ts";
import { type Account, FieldError, type Recovery } from "./contract.ts";
import { dataKey, decrypt, encrypt, newDataKey, unwrap, wrap } from "./crypto.ts";
import {
  type AccountDb,
  type Keys,
  type Meta,
  meta,
  openAccount,
  openPhone,
  type PhoneDb,
  stored,
  write,
} from "./db.ts";
import type { Bytes, Env } from "./env.ts";
import { ask, body, NoLink, Refused } from "./link.ts";
import type { Session } from "./records.ts";
import { newPair, open, type PublicKey, RECOVERY, seal, spki } from "./seal.ts";

/** What the server answered to an invitation: kept in memory until there is a PIN. */
export interface Joined {
  readonly account: Account;
  readonly credential: string;
  readonly send: string;
  readonly seal: PublicKey;
  readonly recovery: PublicKey;
  readonly dbs: readonly string[];
  /** Server's clock less the phone's, milliseconds. */
  readonly offset: number;
  /** The account is on this phone: it goes on as the one that it was (rejoin.ts). */
  readonly again: boolean;
  /** It is new, beside one that the server does not know any more. */
  readonly beside: boolean;
}

/** An account of this phone, as the server is told: it may be the one that goes on. */
export interface Before {
  readonly send: string;
  readonly user: string;
  readonly name: string;
}

const CREDENTIAL = "credential";
/** A phone whose clock is this near needs no correction. */
const TOLERANCE = 60_000;
/** After so many wrong PINs each further one costs a wait, doubled up to an hour. */
const FREE_TRIES = 5;

export async function join(
  env: Env,
  typed: string,
  deviceName: string,
  before: readonly Before[],
): Promise<Omit<Joined, "beside">> {
  const code = invitation(typed);
  if (code === null) throw new FieldError("bad_code");
  const asked = { code, device_name: deviceName, ...(before.length > 0 ? { before } : {}) };
  try {
    const told = joined(env, await ask(env, "/join", { body: await body(JSON.stringify(asked)) }));
    const again = before.some(({ send }) => send === told.send);
    return { ...told, again };
  } catch (error) {
    throw linkError(error, { 404: "bad_code", 410: "spent_code", 429: "too_many" });
  }
}

function joined(env: Env, answer: unknown): Omit<Joined, "again" | "beside"> {
  const told = part(answer);
  const user = part(told.user);
  // A server whose own clock is wrong tells none.
  const skew = (told.clock as number) > EARLIEST ? (told.clock as number) - env.now() : 0;
  return {
    account: {
      id: text(told.device),
      user: { id: text(user.id), name: text(user.name), role: text(user.role) as Role },
      commune: text(told.commune),
      demo: told.demo === true,
    },
    credential: text(told.credential),
    send: text(told.send),
    seal: publicKey(told.seal_key),
    recovery: publicKey(told.recovery_key),
    dbs: Array.isArray(told.dbs) ? told.dbs.map(text) : [],
    offset: Math.abs(skew) > TOLERANCE ? skew : 0,
  };
}

function publicKey(value: unknown): PublicKey {
  const { id, spki } = part(value);
  return { id: text(id), spki: text(spki) };
}

function part(value: unknown): JsonObject {
  if (!isObject(value)) throw new FieldError("server", "/join");
  return value;
}

function text(value: unknown): string {
  if (typeof value !== "string") throw new FieldError("server", "/join");
  return value;
}

/** Stores an account and its keys in one transaction, and opens it. */
export async function enrol(env: Env, who: Joined, pin: string): Promise<Session> {
  checkPin(pin);
  const raw = newDataKey(env);
  const key = await dataKey(env, raw);
  const keys = { pin: await wrap(env, pin, raw), ...(await keysFor(env, who, raw, key)) };
  const { account, dbs, offset, credential } = who;
  const db = await openAccount(env, account.id);
  await stored(
    write(db, ["meta", "databases"], async (tx) => {
      await tx.objectStore("meta").put(account, "account");
      await tx.objectStore("meta").put(keys, "keys");
      await tx.objectStore("meta").put({ last: "", offset }, "clock");
      for (const name of dbs) await tx.objectStore("databases").put(newDatabase(name));
    }),
  );
  await putInFront(env, account);
  return { env, account, db, key, credential, pages: new Map() };
}

/** What an account can do at the server, kept under its data key. */
export async function keysFor(env: Env, who: Joined, raw: Bytes, key: CryptoKey): Promise<Omit<Keys, "pin">> {
  return {
    recovery: toBase64url(await seal(env, who.recovery, RECOVERY, raw)),
    credential: await encrypt(env, key, utf8(who.credential), CREDENTIAL),
    send: who.send,
    seal: who.seal,
  };
}

export async function putInFront(env: Env, account: Account): Promise<void> {
  await listed(env, async (phone) => {
    const tx = phone.transaction(["accounts", "chosen"], "readwrite", { durability: "strict" });
    await Promise.all([
      tx.objectStore("accounts").put(account),
      tx.objectStore("chosen").put(account.id, "front"),
      tx.done,
    ]);
  });
}

/** An account whose data is here goes back on the list. */
export async function putBack(env: Env, account: Account): Promise<void> {
  await listed(env, (phone) => phone.put("accounts", account));
}

/** The accounts on this phone, the one in front first. */
export async function accounts(env: Env): Promise<Account[]> {
  const [all, front] = await listed(env, (phone) =>
    Promise.all([phone.getAll("accounts"), phone.get("chosen", "front")]),
  );
  return all.sort((a, b) => Number(b.id === front) - Number(a.id === front));
}

async function listed<T>(env: Env, work: (phone: PhoneDb) => Promise<T>): Promise<T> {
  const phone = await openPhone(env);
  return work(phone).finally(() => phone.close());
}

/** Raises FieldError `missing` where there is no such account. */
export async function choose(env: Env, device: string): Promise<void> {
  const account = (await accounts(env)).find(({ id }) => id === device);
  if (!account) throw new FieldError("missing", "account");
  await putInFront(env, account);
}

/** Opens an account with its PIN. Raises FieldError `wrong_pin`, `wait` (with the seconds). */
export async function unlock(env: Env, db: AccountDb, pin: string): Promise<Session> {
  const keys = await keysOfAccount(db);
  return session(env, db, await rawKey(env, db, keys, pin));
}

async function session(env: Env, db: AccountDb, raw: Bytes): Promise<Session> {
  const account = (await meta(db, "account")) as Account;
  const key = await dataKey(env, raw);
  const credential = await credentialOf({ env, db, key });
  return { env, account, db, key, credential, pages: new Map() };
}

/** The full credential as it is by now: in another tab the account may have joined again. */
export async function credentialOf({ env, db, key }: Pick<Session, "env" | "db" | "key">): Promise<string> {
  return fromUtf8(await decrypt(env, key, (await keysOfAccount(db)).credential, CREDENTIAL));
}

/** Tries a PIN, and counts wrong ones. */
export async function rawKey(env: Env, db: AccountDb, keys: Keys, pin: string): Promise<Bytes> {
  const { wrong, until } = (await meta(db, "attempts")) ?? { wrong: 0, until: 0 };
  // A clock set forward ends the wait; one set back must not make it endless.
  const wait = Math.min(until - env.now(), 3_600_000);
  if (wait > 0) throw new FieldError("wait", Math.ceil(wait / 1000));
  const raw = await unwrap(env, pin, keys.pin);
  const next = raw ? { wrong: 0, until: 0 } : { wrong: wrong + 1, until: env.now() + penalty(wrong + 1) };
  if (wrong !== next.wrong) await write(db, ["meta"], (tx) => tx.objectStore("meta").put(next, "attempts"));
  if (!raw) throw new FieldError("wrong_pin");
  return raw;
}

function penalty(wrong: number): number {
  return wrong < FREE_TRIES ? 0 : Math.min(30_000 * 2 ** (wrong - FREE_TRIES), 3_600_000);
}

/** Wraps the data key by another PIN. */
export async function changePin(env: Env, db: AccountDb, old: string, next: string): Promise<void> {
  checkPin(next);
  const keys = await keysOfAccount(db);
  await rewrap(env, db, await rawKey(env, db, keys, old), next);
}

async function rewrap(env: Env, db: AccountDb, raw: Bytes, pin: string): Promise<void> {
  const pinned = await wrap(env, pin, raw);
  const keys = { ...(await keysOfAccount(db)), pin: pinned };
  await stored(
    write(db, ["meta"], async (tx) => {
      await tx.objectStore("meta").put(keys, "keys");
      await tx.objectStore("meta").delete("attempts");
      await tx.objectStore("meta").delete("recovery");
    }),
  );
}

/** Asks the office for the data key. The key pair for the answer stays in IndexedDB and cannot be read out. */
export async function askRecovery(env: Env, db: AccountDb): Promise<void> {
  const keys = await keysOfAccount(db);
  const pair = await newPair(env);
  const reply = toBase64url(await spki(env, pair.publicKey));
  const packed = await body(JSON.stringify({ wrapped: keys.recovery, reply_key: reply }));
  const answer = await ask(env, "/recovery", { credential: keys.send, body: packed }).catch((error) => {
    throw linkError(error, { 401: "revoked" });
  });
  const id = (answer as JsonObject).id;
  if (typeof id !== "string") throw new FieldError("server", "/recovery");
  const asked: Meta["recovery"] = { id, pair, wrapped: null, state: "pending" };
  await stored(write(db, ["meta"], (tx) => tx.objectStore("meta").put(asked, "recovery")));
}

/** What became of it. */
export async function recovery(env: Env, db: AccountDb): Promise<Recovery> {
  const asked = await meta(db, "recovery");
  if (!asked) return "none";
  if (asked.state !== "pending") return asked.state;
  const { send } = await keysOfAccount(db);
  const answer = await ask(env, `/recovery/${asked.id}`, { method: "GET", credential: send }).catch(
    (error) => {
      throw linkError(error, { 401: "revoked" });
    },
  );
  const { state, wrapped } = answer as JsonObject;
  if (state !== "approved" && state !== "refused") return "pending";
  const told = { ...asked, state, wrapped: typeof wrapped === "string" ? wrapped : null } as Meta["recovery"];
  await stored(write(db, ["meta"], (tx) => tx.objectStore("meta").put(told, "recovery")));
  return state;
}

/** Opens the approved answer, sets a new PIN and opens the account. */
export async function recover(env: Env, db: AccountDb, pin: string): Promise<Session> {
  checkPin(pin);
  const asked = await meta(db, "recovery");
  if (!asked?.wrapped) throw new FieldError("missing", "recovery");
  // The answer is sealed to this phone's pair under the id of the request.
  const raw = await open(env, asked.pair, asked.id, RECOVERY, fromBase64url(asked.wrapped));
  await rewrap(env, db, raw, pin);
  return session(env, db, raw);
}

export function checkPin(pin: string): void {
  if (!/^[0-9]{6,12}$/.test(pin)) throw new FieldError("bad_pin");
}

export async function keysOfAccount(db: AccountDb): Promise<Keys> {
  const keys = await meta(db, "keys");
  if (!keys) throw new FieldError("missing", "account");
  return keys;
}

type Codes = Readonly<Record<number, FieldError["code"]>>;

/** What went wrong on the link, as the screens know it. */
export function linkError(error: unknown, codes: Codes): unknown {
  if (error instanceof NoLink) return new FieldError("offline");
  if (error instanceof Refused) return new FieldError(codes[error.status] ?? "server", error.status);
  return error instanceof FieldError ? error : new FieldError("server");
}
