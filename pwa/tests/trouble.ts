/**
 * A phone whose storage can be made to fail, or whose world to stop, at the n-th step: each use of IndexedDB is one
 * (opening, beginning a transaction, each request, its commit), and where the app is killed a mark beside it,
 * and each request to the server (before it leaves, and when the server has done its work). Between two steps nothing that
 * outlives the app changes, so stopping at each of them is stopping between any two awaits.
 */
import assert from "node:assert/strict";
import { PhoneField } from "../src/data/field.ts";
import type { Phone } from "./phone.ts";
import { PIN } from "./server.ts";

/**
 * killed: nothing happens any more, and what was under way is rolled back. full: this write and all after it find no
 * room. failing: this step alone fails, as disks do.
 */
export type Trouble = "killed" | "full" | "failing";

const ERRORS = { full: "QuotaExceededError", failing: "UnknownError" } as const;

/** The inside of fake-indexeddb's transactions: `_start` runs one request after the other, and then commits. */
interface Inside extends IDBTransaction {
  _requests: unknown[];
  _state: string;
  _start(): void;
  _abort(name: string | null): void;
  _rollbackLog: (() => void)[];
  readonly db: IDBDatabase & { _rawDatabase: { transactions: unknown[]; processTransactions(): void } };
}

/** Takes a transaction back without a word to the app, as a death does. */
function undone(tx: Inside): void {
  if (tx._state === "finished") return; // the app has taken it back itself, and has not heard of it yet
  for (const back of tx._rollbackLog.reverse()) back();
  tx._requests.length = tx._rollbackLog.length = 0;
  tx._state = "finished";
  const { _rawDatabase: raw } = tx.db;
  raw.transactions.splice(raw.transactions.indexOf(tx), 1);
  raw.processTransactions();
}

/** One life of the app over a phone's storage. */
class World {
  steps = 0;
  /** Whether the trouble has come. */
  met = false;
  dead = false;
  private readonly running = new Set<IDBTransaction>();
  private readonly connections = new Set<IDBDatabase>();
  private end: () => void = () => {};
  /** Resolves when the app is killed. */
  readonly killed = new Promise<void>((resolve) => {
    this.end = resolve;
  });

  /** The step at which the trouble comes. */
  at = Number.POSITIVE_INFINITY;

  constructor(readonly kind: Trouble) {}

  /** The error that this step meets, if any. Raises where the world has stopped. */
  step(writes: boolean): DOMException | null {
    if (this.dead) throw new DOMException("the app was killed", "AbortError");
    if (this.kind === "full" && !writes) return null;
    this.steps++;
    if (this.steps < this.at || (this.steps > this.at && this.kind !== "full")) return null;
    this.met = true;
    if (this.kind !== "killed") return new DOMException("trouble", ERRORS[this.kind]);
    this.stop();
    this.end();
    throw new DOMException("the app was killed", "AbortError");
  }

  /** Ends this life of the app; what is under way is rolled back. */
  stop(): void {
    this.dead = true;
    for (const tx of this.running) undone(tx as Inside);
    for (const db of this.connections) db.close();
  }

  /** A step of the link: only a death is possible there. */
  async travel(): Promise<void> {
    if (this.kind !== "killed") return;
    try {
      this.step(false);
    } catch {
      await new Promise(() => {});
    }
  }

  connected(db: IDBDatabase): void {
    this.connections.add(db);
    worlds.set(db, this);
    if (this.dead) db.close();
  }

  began(tx: IDBTransaction): void {
    this.running.add(tx);
    for (const over of ["complete", "abort"]) tx.addEventListener(over, () => this.running.delete(tx));
  }

  /** The browser's IndexedDB as this life of the app sees it. */
  over(real: IDBFactory): IDBFactory {
    const open: IDBFactory["open"] = (name, version) => {
      const error = this.step(true);
      if (error) throw error;
      const request = real.open(name, version);
      const connected = () => this.connected(request.result);
      request.addEventListener("upgradeneeded", connected);
      request.addEventListener("success", connected);
      return request;
    };
    const deleteDatabase: IDBFactory["deleteDatabase"] = (name) => {
      const error = this.step(true);
      if (error) throw error;
      return real.deleteDatabase(name);
    };
    return { open, deleteDatabase, cmp: real.cmp.bind(real), databases: real.databases.bind(real) };
  }
}

const worlds = new WeakMap<IDBDatabase, World>();

const { transaction, createObjectStore } = IDBDatabase.prototype;
IDBDatabase.prototype.transaction = function (this: IDBDatabase, ...args) {
  const world = worlds.get(this);
  const error = world?.step(args[1] === "readwrite");
  if (error) throw error;
  const tx = transaction.apply(this, args);
  world?.began(tx);
  return tx;
};
IDBDatabase.prototype.createObjectStore = function (this: IDBDatabase, ...args) {
  const error = worlds.get(this)?.step(true);
  if (error) throw error;
  return createObjectStore.apply(this, args);
};
const CALLS = ["add", "put", "delete", "get", "getAll", "getAllKeys", "getKey", "count"] as const;
for (const call of CALLS) {
  const store = IDBObjectStore.prototype as unknown as Record<string, (...args: unknown[]) => unknown>;
  const real = store[call];
  store[call] = function (this: IDBObjectStore, ...args: unknown[]) {
    const error = worlds.get(this.transaction.db)?.step(["add", "put", "delete"].includes(call));
    if (error) throw error;
    return real?.apply(this, args);
  };
}
const inside = IDBTransaction.prototype as Inside;
const { _start } = inside;
inside._start = function (this: Inside) {
  const commits = this.mode !== "readonly" && this._requests.length === 0 && this._state !== "finished";
  if (commits)
    try {
      const error = worlds.get(this.db)?.step(true);
      if (error) return this._abort(error.name);
    } catch {
      // Killed, and rolled back by now; but for an upgrade, for whose end the next one who opens it waits.
      if (this._state !== "finished") this._abort(null);
      return;
    }
  _start.apply(this);
};

/** The PIN's key by one round: the tests open hundreds of accounts. */
export function quick(mine: Phone): Phone {
  const { subtle } = mine.env;
  const deriveKey: SubtleCrypto["deriveKey"] = (how, ...rest) =>
    subtle.deriveKey({ ...(how as Pbkdf2Params), iterations: 1 }, ...rest);
  const cheap = new Proxy(subtle, {
    get: (target, name) => {
      if (name === "deriveKey") return deriveKey;
      const value = Reflect.get(target, name);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
  return rebuilt(mine, { subtle: cheap });
}

/** The same phone, on the same link, over another environment. */
export function rebuilt(mine: Phone, change: Partial<Phone["env"]>): Phone {
  const env = { ...mine.env, ...change };
  const field = new PhoneField(env);
  return new Proxy(mine, {
    get: (target, name) => (name === "env" ? env : name === "field" ? field : Reflect.get(target, name)),
  });
}

/** A copy of all databases; of an account's, at that version and without those stores. */
export async function copied(
  from: IDBFactory,
  version?: number,
  without: readonly string[] = [],
): Promise<IDBFactory> {
  const to = new IDBFactory();
  for (const { name = "" } of await from.databases()) {
    const old = await opened(from.open(name));
    const tx = old.transaction([...old.objectStoreNames]);
    const stores = await Promise.all(
      [...old.objectStoreNames].map(async (store) => {
        const kept = tx.objectStore(store);
        return { kept, keys: await opened(kept.getAllKeys()), values: await opened(kept.getAll()) };
      }),
    );
    const request = to.open(name, name.startsWith("camket-") ? (version ?? old.version) : old.version);
    request.onupgradeneeded = () => {
      for (const { kept, keys, values } of stores) {
        if (without.includes(kept.name)) continue;
        const { keyPath, autoIncrement } = kept;
        const store = request.result.createObjectStore(kept.name, { keyPath, autoIncrement });
        for (const index of kept.indexNames) store.createIndex(index, index);
        for (const [i, value] of values.entries()) store.put(value, keyPath === null ? keys[i] : undefined);
      }
    };
    (await opened(request)).close();
    old.close();
  }
  return to;
}

/** What an IDBRequest came to. */
export function opened<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

export type Ending = "done" | "failed" | "killed";

export interface Story<T = unknown> {
  /** A phone as it is before the trouble. */
  begin(): Promise<Phone>;
  /** In which state the app is when the trouble may begin; `open` where nothing is said. */
  at?: "closed" | "locked";
  /** What the app does before the trouble may begin: a form is opened, say. */
  ready?(mine: Phone): Promise<T>;
  /** What the volunteer does meanwhile. */
  act(mine: Phone, ready: T): Promise<unknown>;
  /** What is there afterwards, on the same phone opened again. `told`: the act's result, or its error. */
  check(again: Phone, ending: Ending, told: unknown): Promise<void>;
}

/** Runs the story with the trouble at each step in turn. Returns how many steps there were. */
export async function everywhere<T>(kind: Trouble, story: Story<T>): Promise<number> {
  for (let at = 1; ; at++) {
    const before = await story.begin();
    const world = new World(kind);
    const fetch: Phone["env"]["fetch"] = async (path, init) => {
      await world.travel();
      const answer = await before.env.fetch(path, init);
      await world.travel();
      return answer;
    };
    const { read, write } = before.env.marks;
    const marks: Phone["env"]["marks"] = {
      read,
      write: (all) => {
        if (kind === "killed") world.step(false);
        write(all);
      },
    };
    const mine = rebuilt(before, { indexedDB: world.over(before.env.indexedDB), fetch, marks });
    if (!story.at) await mine.field.unlock(PIN);
    if (story.at !== "closed") await mine.field.syncState();
    const ready = (await story.ready?.(mine)) as T;
    world.at = world.steps + at;
    const acting = story.act(mine, ready).then(
      (told) => ({ ending: "done" as const, told }),
      (told) => ({ ending: "failed" as const, told }),
    );
    const dying = world.killed.then(() => ({ ending: "killed" as const, told: null }));
    const { ending, told } = await Promise.race([acting, dying]);
    world.stop();
    try {
      await story.check(quick(before.again()), ending, told);
    } catch (wrong) {
      assert.fail(`${kind} at step ${at} (${ending}, ${told}): ${(wrong as Error).stack}`);
    }
    if (!world.met) return at - 1;
  }
}
