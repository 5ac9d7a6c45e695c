/**
 * Many real phones in one Node process, told what to do line by line: the phones of `tests/sim`.
 *
 * A phone is an IndexedDB of its own and, while the app runs, a PhoneField over it. The app can be killed between
 * any two transactions, requests or pieces of an answer: what was not committed is rolled back, nothing of it
 * runs on, and the next one opens the same storage. Storage can be full at a chosen write. Each line that comes
 * back also says what the phone has written, and what it heard from the server about which revision. It is one file,
 * for it is one program: `tests/sim/fleet.py` bundles and drives it.
 */
import { createInterface } from "node:readline";
import { IDBFactory } from "fake-indexeddb";
import type { Answers } from "../src/core/checklist.ts";
import { edited } from "../src/core/edit.ts";
import { isObject, type JsonObject } from "../src/core/json.ts";
import type { Form, HouseholdChange, Signing } from "../src/data/contract.ts";
import { FieldError } from "../src/data/contract.ts";
import { type AccountDb, meta } from "../src/data/db.ts";
import type { Env } from "../src/data/env.ts";
import { PhoneField } from "../src/data/field.ts";
import { openOwn, readAll, type Session, shown } from "../src/data/records.ts";
import { save } from "../src/data/save.ts";
import { nameOf } from "../src/data/several.ts";
import { phone } from "./phone.ts";

const PIN = "135790";

/** What a line asks for. `moment` and `full`: when the app dies or the disk is full, counted from its start. */
interface Order {
  readonly n: number;
  readonly phone: number;
  readonly do: string;
  /** What the phone's own clock says, milliseconds. */
  readonly now: number;
  readonly moment?: number;
  readonly full?: number;
  readonly code?: string;
  readonly seed?: number;
  readonly hamlet?: string;
  readonly household?: string;
  readonly form?: string;
  readonly name?: string;
  readonly change?: HouseholdChange;
  readonly signing?: Signing;
  readonly result?: "met" | "nobody_home" | "come_back";
  readonly households?: readonly { readonly id: string; readonly signer: string }[];
  readonly sheet?: number;
  readonly text?: string;
  readonly inspection?: string;
  readonly subject?: string;
  readonly checklist?: string;
  /** The item that asks for photographs. */
  readonly item?: string;
  readonly values?: Answers;
  /** Base64. */
  readonly pictures?: readonly string[];
  /** Takes a photograph back that is there. */
  readonly drops?: boolean;
  readonly weak?: boolean;
}

type Heard = readonly [db: string, id: string, rev: string, is: string, reason: string];

interface Wrote {
  readonly db: string;
  readonly id: string;
  readonly rev: string;
  readonly body: JsonObject;
  readonly acts: readonly string[];
  readonly stamps: readonly string[];
  readonly again: boolean;
}

const [, , server = ""] = process.argv;
/** Which revision a receipt names, by its record or by itself, whoever carries it. */
const sealedAs = new Map<string, readonly [string, string, string]>();

class Killed extends Error {}

/** What requests of an app that is dead were told; nobody is left to hear it. */
const unheard = new WeakSet<object>();

/** Numbers that follow from the phone's seed, so that a rerun mints the same revisions. */
function random(seed: number): (length: number) => Uint8Array<ArrayBuffer> {
  let state = (seed * 2654435761 + 1) >>> 0;
  const byte = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 11) & 255;
  };
  return (length) => Uint8Array.from({ length }, byte);
}

/** WebCrypto, but for the 600,000 rounds that make guessing a PIN dear: here they would be all of the time. */
function quick(subtle: SubtleCrypto): SubtleCrypto {
  return new Proxy(subtle, {
    get(target, name) {
      const of = Reflect.get(target, name) as unknown;
      if (typeof of !== "function") return of;
      return (...how: unknown[]) =>
        of.apply(
          target,
          how.map((one) => (isObject(one) && one.name === "PBKDF2" ? { ...one, iterations: 1 } : one)),
        );
    },
  });
}

/** One run of the app, from its start until it is killed. */
class App {
  readonly field: PhoneField;
  readonly forms = new Map<string, Form>();
  private readonly open = new Set<IDBDatabase>();
  private readonly running = new Set<IDBTransaction>();
  private dead = false;
  private moments = Number.POSITIVE_INFINITY;
  private writes = Number.POSITIVE_INFINITY;
  private die: (error: Error) => void = () => {};

  constructor(private readonly owner: Handset) {
    const { env } = phone(null, owner.storage);
    const mine: Env = {
      ...env,
      now: () => owner.now,
      random: owner.random,
      offline: () => false,
      weakLink: () => owner.weak,
      subtle: quick(env.subtle),
      indexedDB: this.watched(owner.storage),
      fetch: (path, init) => this.fetch(path, init),
      after: () => () => {},
    };
    this.field = new PhoneField(mine);
  }

  /** Does `work`; rejects with Killed where the app died over it. */
  async run<T>({ moment, full }: Order, work: () => Promise<T>): Promise<T> {
    this.moments = moment ?? Number.POSITIVE_INFINITY;
    this.writes = full ?? Number.POSITIVE_INFINITY;
    const death = new Promise<never>((_, reject) => {
      this.die = reject;
    });
    death.catch(() => {});
    try {
      return await Promise.race([work(), death]);
    } finally {
      this.moments = this.writes = Number.POSITIVE_INFINITY;
    }
  }

  kill(): void {
    if (this.dead) return;
    this.dead = true;
    for (const tx of this.running)
      try {
        tx.abort();
        // what awaits it hears of the death: an error of its own would look like one of the app's
        Object.defineProperty(tx, "error", { value: new Killed() });
      } catch {
        // it is over already
      }
    for (const db of this.open) db.close();
    this.die(new Killed());
  }

  /** A place where the app may die. */
  private moment(): void {
    if (--this.moments === 0) this.kill();
  }

  private watched(storage: IDBFactory): IDBFactory {
    return new Proxy(storage, {
      get: (target, name) => {
        const of = Reflect.get(target, name) as unknown;
        if (typeof of !== "function") return of;
        if (name !== "open") return of.bind(target);
        return (...how: Parameters<IDBFactory["open"]>) => {
          if (this.dead) throw new Killed();
          const request = target.open(...how);
          request.addEventListener("success", () => this.watch(request.result));
          return request;
        };
      },
    });
  }

  private watch(db: IDBDatabase): void {
    this.open.add(db);
    if (this.dead) db.close();
    const begin = db.transaction.bind(db);
    db.transaction = (...how) => {
      if (this.dead) throw new Killed();
      const tx = begin(...how);
      this.running.add(tx);
      const over = () => this.running.delete(tx);
      tx.addEventListener("error", ({ target }) => {
        const { error } = target as IDBRequest;
        if (this.dead && error) unheard.add(error);
      });
      tx.addEventListener("abort", over);
      tx.addEventListener("complete", () => {
        over();
        if (how[1] === "readwrite") this.moment();
      });
      if (how[1] === "readwrite") {
        if (--this.writes === 0) fill(tx);
        // in the middle: its first requests are under way
        if (this.moments === 1) setImmediate(() => this.moment());
        else this.moment();
      }
      return tx;
    };
  }

  private async fetch(path: string, init: RequestInit): Promise<Response> {
    this.moment();
    if (this.dead) throw new Killed();
    const sent = path === "/db/_exchange" || path.endsWith("/_bulk_docs") ? await this.sent(path, init) : [];
    const answer = await fetch(`${server}/p${this.owner.number}${path}`, init);
    if (this.dead) throw new Killed();
    if (!answer.ok) return answer;
    if (path === "/db/_exchange") return this.streamed(answer);
    const text = await answer.text();
    if (this.dead) throw new Killed();
    if (path === "/sealed") this.owner.receipts(text);
    if (path.endsWith("/_bulk_docs")) this.owner.plain(sent, text);
    return new Response(text, { status: answer.status, headers: answer.headers });
  }

  /** Notes the documents that go out, for some are made and sent within one sync. */
  private async sent(path: string, init: RequestInit): Promise<[string, JsonObject][]> {
    const bytes = init.body as Uint8Array<ArrayBuffer>;
    const plain = new Blob([bytes]).stream();
    const unpacked = bytes[0] === 0x1f ? plain.pipeThrough(new DecompressionStream("gzip")) : plain;
    const asked = (await new Response(unpacked).json()) as JsonObject;
    const dbs = isObject(asked.dbs) ? asked.dbs : { [path.split("/")[2] ?? ""]: asked };
    const docs = Object.entries(dbs).flatMap(([db, part]) =>
      ((isObject(part) ? (part.docs as JsonObject[]) : undefined) ?? []).map((doc): [string, JsonObject] => [
        db,
        doc,
      ]),
    );
    for (const [db, doc] of docs) this.owner.sent(db, doc);
    return docs;
  }

  private streamed(answer: Response): Response {
    let rest = "";
    const decoder = new TextDecoder();
    const heard = new TransformStream<Uint8Array, Uint8Array>({
      transform: (chunk, control) => {
        this.moment();
        if (this.dead) return control.error(new Killed());
        rest += decoder.decode(chunk, { stream: true });
        const lines = rest.split("\n");
        rest = lines.pop() ?? "";
        for (const line of lines) this.owner.line(line);
        control.enqueue(chunk);
      },
    });
    return new Response(answer.body?.pipeThrough(heard) ?? null, {
      status: answer.status,
      headers: answer.headers,
    });
  }
}

/** Lets a transaction fail as it does where the phone has no room left. */
function fill(tx: IDBTransaction): void {
  const storeOf = tx.objectStore.bind(tx);
  tx.objectStore = (name) => {
    const store = storeOf(name);
    const full = () => {
      throw new DOMException("no room", "QuotaExceededError");
    };
    return Object.assign(store, { put: full, add: full });
  };
}

class Handset {
  storage = new IDBFactory();
  now = 0;
  weak = false;
  random = random(0);
  app: App | null = null;
  heard: Heard[] = [];
  wrote: Wrote[] = [];
  private known = new Set<string>();

  constructor(readonly number: number) {}

  /** The app as it runs; started, and opened with the PIN where it was not. */
  async running(): Promise<App> {
    if (!this.app) {
      this.app = new App(this);
      if ((await this.app.field.lifecycle()) === "locked") await this.app.field.unlock(PIN);
    }
    return this.app;
  }

  line(text: string): void {
    const part: unknown = JSON.parse(text);
    if (!isObject(part) || !Array.isArray(part.outcomes)) return;
    for (const [id, rev, is, reason = ""] of part.outcomes as [string, string, string, string?][])
      this.heard.push([part.db as string, id, rev, is, reason]);
  }

  plain(sent: readonly [string, JsonObject][], text: string): void {
    const rows: unknown = JSON.parse(text);
    if (!Array.isArray(rows)) return;
    const wrong = new Set(rows.filter(isObject).map(({ id }) => id));
    for (const [db, { _id, _rev }] of sent)
      if (!wrong.has(_id as string)) this.heard.push([db, _id as string, _rev as string, "received", ""]);
  }

  receipts(text: string): void {
    const answer: unknown = JSON.parse(text);
    if (!isObject(answer) || !Array.isArray(answer.receipts)) return;
    for (const { sha256, is, reason } of answer.receipts as Record<string, string>[]) {
      const named = sealedAs.get(sha256 ?? "");
      if (named) this.heard.push([...named, is ?? "", reason ?? ""]);
    }
  }

  sent(db: string, doc: JsonObject): void {
    const { _id, _rev, _revisions, ...body } = doc;
    this.write({ db, id: _id as string, rev: _rev as string, body: body as JsonObject, ...NOTHING });
  }

  write(one: Wrote): void {
    const key = `${one.db} ${one.id} ${one.rev}`;
    if (this.known.has(key)) return;
    this.known.add(key);
    this.wrote.push(one);
  }

  /** Looks for leaves that are new. */
  async scan(): Promise<void> {
    const session = this.app && inside(this.app.field).session;
    if (!session) return;
    for (const { db, id, rev, sha256 } of await session.db.getAll("outbox"))
      for (const name of [sha256, await nameOf(session.env, { db, id, rev })])
        sealedAs.set(name, [db, id, rev]);
    for (const leaf of await session.db.getAll("own")) {
      const { db, id, rev, fresh, again } = leaf;
      if (this.known.has(`${db} ${id} ${rev}`)) continue;
      const { body } = await openOwn(session, leaf);
      this.write({ db, id, rev, body, acts: fresh.acts, stamps: fresh.stamps, again });
    }
  }

  /** All that the phone has, as the invariants want to know it. */
  async look(): Promise<unknown> {
    const { field } = await this.running();
    const session = inside(field).session;
    if (!session) return { lifecycle: await field.lifecycle() };
    const databases = await session.db.getAll("databases");
    const own = await session.db.getAll("own");
    const held: Record<string, unknown> = {};
    for (const { name, gone } of databases) {
      const bodies = [...(await readAll(session, name)).values()];
      held[name] = {
        gone,
        docs: Object.fromEntries(
          bodies.flatMap(({ id, winner }) => (winner ? [[id, [winner.rev, winner.body]]] : [])),
        ),
      };
    }
    return {
      lifecycle: "open",
      state: await field.syncState(),
      clock: await meta(session.db, "clock"),
      heads: (await session.db.getAll("heads")).map(({ db, id, rev, page }) => [db, id, rev, page !== null]),
      own: own.map(({ db, id, rev, state, again }) => [db, id, rev, state, again]),
      outbox: (await session.db.getAll("outbox")).map(({ db, id, rev }) => [db, id, rev]),
      photos: (await session.db.getAll("photos")).map(({ sha256, hamlet, state }) => [sha256, hamlet, state]),
      databases: held,
    };
  }

  async credential(): Promise<string> {
    const { field } = await this.running();
    const db = await inside(field).db();
    return (await meta(db, "keys"))?.send ?? "";
  }
}

/** What the screens do not see of a field. */
function inside(field: PhoneField): { readonly session: Session | null; db(): Promise<AccountDb> } {
  return field as unknown as ReturnType<typeof inside>;
}

const NOTHING = { acts: [], stamps: [], again: false } as const;

function on(form: Form | undefined): Form {
  if (!form) throw new FieldError("missing", "form");
  return form;
}

const orders: Record<string, (of: Handset, app: App, order: Order) => Promise<unknown>> = {
  join: async (_, { field }, { code = "" }) => {
    const account = await field.join(code, "sim");
    await field.setPin(PIN);
    return { device: account.id, user: account.user.id };
  },
  sync: async (_, { field }) => field.syncNow(),
  handIn: async (_, { field }) => {
    await field.lock();
    return field.syncNow().finally(() => field.unlock(PIN));
  },
  open: async (_, { field, forms }, { hamlet = "", household = "", form = "" }) => {
    const opened = await field.openForm(hamlet, household).catch(async (error: unknown) => {
      // It may have moved: people find it on the list of another hamlet.
      for (const { id } of await field.hamlets())
        if ((await field.households(id)).some((one) => one.id === household))
          return field.openForm(id, household);
      throw error;
    });
    forms.set(form, opened);
  },
  add: (_, { field }, { hamlet = "", name = "" }) => field.addHousehold(hamlet, { name }),
  edit: (_, app, { form = "", change = {} }) => app.field.editHousehold(on(app.forms.get(form)), change),
  newer: async (_, app, { form = "", name = "" }) => {
    const opened = on(app.forms.get(form));
    const { session } = inside(app.field);
    const [db, id] = [`hamlet-${opened.hamlet}`, `household:${opened.household}`];
    const known = session && (await readAll(session, db, "household:")).get(id);
    const base = known ? shown(known) : null;
    if (!session || !base) throw new FieldError("missing", "household");
    const make = ({ stamp }: { stamp: string }) => {
      const body = edited(
        base.body,
        "household",
        { fields: { name, solar: true } },
        stamp,
        session.account.user.id,
      );
      return { body: { ...body, v: 2 }, acts: [] };
    };
    await save(session, [{ db, id, base, make }]);
  },
  visit: (_, app, { form = "", result = "met" }) => app.field.recordVisit(on(app.forms.get(form)), result),
  sign: (_, app, { form = "", signing }) =>
    app.field.recordSigned(on(app.forms.get(form)), signing as Signing),
  void: async (_, app, { form = "" }) => {
    const opened = on(app.forms.get(form));
    const act = opened.shown.acts.find(({ canVoid }) => canVoid);
    if (act) await app.field.voidAct(opened, act.act.id);
  },
  meeting: (_, { field }, { hamlet = "", households = [], sheet = 1, now }) =>
    field.meeting(hamlet, {
      date: new Date(now).toISOString().slice(0, 10),
      sheet,
      readAloud: true,
      households: households.map(({ id, signer }) => ({
        ...{ id, signer, role: "head", method: "paper_signed" },
      })) as never,
    }),
  inspect: async (_, { field }, order) => {
    const {
      hamlet = "",
      inspection = "",
      subject = "",
      checklist = "",
      item = "",
      pictures = [],
      now,
    } = order;
    const registers = await field.registers();
    const form = await registers.openInspection(hamlet, inspection).catch((error: unknown) => {
      if (!(error instanceof FieldError) || error.code !== "missing") throw error;
      return registers.newInspection(hamlet, subject, { slug: checklist }, inspection);
    });
    const there = (form.shown?.answers[item] ?? []) as readonly string[];
    const taken: string[] = [];
    for (const one of pictures)
      taken.push(
        await field.addPhoto(hamlet, new Blob([Buffer.from(one, "base64")], { type: "image/jpeg" })),
      );
    await registers.saveInspection(form, {
      date: new Date(now).toISOString().slice(0, 10),
      values: order.values ?? {},
      photos: { [item]: [...(order.drops ? there.slice(1) : there), ...taken] },
      findings: "",
      followUp: null,
    });
    return true;
  },
  bundle: (_, { field }) => field.bundle(),
  handedOver: async (_, { field }, { text = "" }) => (await field.courier()).handedOver(text),
  take: async (_, { field }, { text = "" }) => (await field.courier()).take(text),
  receipts: async (_, { field }) => (await field.courier()).receipts(),
  codes: async (_, { field }) => {
    const run = await (await field.courier()).recordCodes();
    return run && { text: await readBack(field, run.codes), given: run.given };
  },
  receiptCodes: async (_, { field }) => {
    const run = await (await field.courier()).receiptCodes(0);
    return run && readBack(field, run.codes);
  },
  carry: async (of, _, { text = "" }) => {
    const credential = await of.credential();
    const headers = { Authorization: `Bearer ${credential}`, "Content-Type": "text/plain" };
    const answer = await fetch(`${server}/p${of.number}/sealed`, { method: "POST", headers, body: text });
    const said = await answer.text();
    if (answer.ok) of.receipts(said);
    return answer.status;
  },
  credentials: async (_, { field }) => {
    const { session } = inside(field);
    const keys = session && (await meta(session.db, "keys"));
    return keys ? { full: session.credential, send: keys.send, seal: keys.seal } : null;
  },
  look: (of) => of.look(),
};

/** What another phone's camera makes of a run: each code twice, the last one first. */
async function readBack(field: PhoneField, codes: readonly string[]): Promise<string> {
  const reader = (await field.courier()).reader();
  for (const code of [...codes, ...codes].reverse()) {
    const heard = await reader.hear(code);
    if (heard.kind === "whole") return heard.text;
  }
  throw new Error("a run of codes that does not come together");
}

const fleet = new Map<number, Handset>();

async function obey(order: Order): Promise<unknown> {
  const of = fleet.get(order.phone) ?? new Handset(order.phone);
  fleet.set(order.phone, of);
  of.now = order.now;
  of.weak = order.weak ?? false;
  let result: unknown = null;
  let error: string | null = null;
  try {
    if (order.do === "clear") fleet.clear();
    else if (order.do === "lose") {
      of.app?.kill();
      fleet.delete(order.phone);
    } else if (order.do === "kill") {
      of.app?.kill();
      of.app = null;
    } else {
      if (order.seed !== undefined) of.random = random(order.seed);
      const app = await of.running();
      const work = orders[order.do];
      if (!work) throw new Error(`no such order: ${order.do}`);
      result = await app.run(order, () => work(of, app, order));
    }
  } catch (caught) {
    if (caught instanceof Killed) of.app = null;
    error =
      caught instanceof FieldError
        ? caught.code
        : caught instanceof Killed
          ? "killed"
          : `broken: ${caught instanceof Error ? (caught.stack ?? caught.message) : caught}`;
  }
  // The storage is looked at by another run of the app where this one died.
  if (fleet.has(order.phone) && error !== "killed") await of.scan();
  const { heard, wrote } = of;
  of.heard = [];
  of.wrote = [];
  return { n: order.n, result: result ?? null, error, heard, wrote };
}

process.on("unhandledRejection", (reason) => {
  if (!(reason instanceof Killed || (reason instanceof Error && unheard.has(reason))))
    process.stderr.write(`${reason instanceof Error ? reason.stack : reason}\n`);
});

for await (const line of createInterface({ input: process.stdin }))
  obey(JSON.parse(line) as Order).then(
    (told) => process.stdout.write(`${JSON.stringify(told)}\n`),
    (error) => {
      process.stderr.write(`${error?.stack ?? error}\n`);
      process.exit(1);
    },
  );
