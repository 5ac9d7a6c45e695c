/**
 * Forms that were open while the phone's clock was put right: what they opened on tells other times by then. And what
 * happens while that is under way: the app encrypts what moves, and another form is saved meanwhile.
 */
import assert from "node:assert/strict";
import test from "node:test";
import type { Stamps } from "../src/core/stamps.ts";
import { openAccount } from "../src/data/db.ts";
import { type Phone, phone, type Serve } from "./phone.ts";
import { household, PIN, ScriptedServer, ulidOf } from "./server.ts";
import { copied, quick, rebuilt } from "./trouble.ts";

const HOUR = 3_600_000;
const first = ulidOf(1);
const second = ulidOf(2);

interface Sent {
  readonly _id: string;
  readonly _rev: string;
  readonly _revisions: { readonly start: number; readonly ids: readonly string[] };
  readonly acts?: readonly { readonly id: string; readonly at: string }[];
  readonly name?: string;
  readonly place?: unknown;
  readonly stamps: Stamps;
}

const base = await ScriptedServer.start();
base.put("hamlet-na", `household:${first}`, household(1, "Hoàng Văn Một"));
base.put("hamlet-na", `household:${second}`, household(2, "Hoàng Văn Hai"));
const enrolled = quick(phone(base.serve));
await enrolled.field.join("abcde-fgh10", "Điện thoại");
await enrolled.field.setPin(PIN);
await enrolled.field.syncNow();

/** All that the server has taken, the oldest first. It has never had what it is asked for. */
function taking(server: ScriptedServer): Sent[] {
  const taken: Sent[] = [];
  server.parts = (parts, { body }) => {
    if (parts.length === 1) return parts; // the clock is wrong
    const { docs = [], waiting = [] } = JSON.parse(body).dbs["hamlet-na"] ?? {};
    taken.push(...docs);
    const missing = waiting.length > 0 ? [{ db: "hamlet-na", missing: waiting }] : [];
    return [...parts.slice(0, -1), ...missing, ...parts.slice(-1)];
  };
  return taken;
}

async function record(mine: Phone, name: string, of = first): Promise<void> {
  const form = await mine.field.openForm("na", of);
  await mine.field.recordVisit(form, "nobody_home");
  await mine.field.editHousehold(form, { name });
}

/** All that is unsent goes with a courier. */
async function hand(mine: Phone): Promise<string> {
  const bundle = await mine.field.bundle();
  await (await mine.field.courier()).handedOver(bundle);
  return bundle;
}

/** The server says how wrong the clock is, and the link is gone before anything is sent again. */
async function put(mine: Phone, line: Phone, server: ScriptedServer): Promise<void> {
  let asked = 0;
  line.serve = (one) => (asked++ > 0 ? Promise.reject(new TypeError("cut")) : server.serve(one));
  assert.equal((await mine.field.syncNow()).problem, "offline");
}

/** Of so many acts that the server has taken each was told at one time, and all that was told is of about now. */
function right(server: ScriptedServer, taken: readonly Sent[], acts: number): void {
  const told = new Map<string, Set<string>>();
  const near = (ms: number) => Math.abs(ms - server.clock) < 60_000;
  for (const { _rev, acts = [], stamps } of taken) {
    for (const { id, at } of acts) told.set(id, (told.get(id) ?? new Set()).add(at));
    for (const stamp of Object.values(stamps))
      if (stamp.endsWith("dev1")) assert.ok(near(Number(stamp.slice(0, 13))), `${_rev}: ${stamp}`);
  }
  assert.equal(told.size, acts);
  for (const [id, times] of told) {
    assert.equal(times.size, 1, `${id}: ${[...times]}`);
    for (const at of times) assert.ok(near(Date.parse(at)), `${id}: ${at}`);
  }
}

/** What happens to the record that the form opens on; the clock is put right by the sync at the end, if not before. */
interface Way {
  /** Before the form is opened. */
  readonly before?: (mine: Phone) => Promise<unknown>;
  /** While it is open. */
  readonly meanwhile?: (mine: Phone, line: Phone, server: ScriptedServer) => Promise<unknown>;
  /** Whether all is sent before the form is saved. */
  readonly sent?: false;
}

const WAYS: Readonly<Record<string, Way>> = {
  "moved in its stead": {},
  "moved in its stead, and has not been sent": { meanwhile: put, sent: false },
  "moved on top of it, since a courier may bring it": { before: hand },
  "waits for the answer whether a courier has brought it": {
    before: hand,
    meanwhile: put,
    sent: false,
  },
  "had been built upon by another form": { meanwhile: (mine) => record(mine, "Tên giữa") },
  "had been built upon by another form after it left": {
    before: hand,
    meanwhile: (mine) => record(mine, "Tên giữa"),
  },
  "moved twice": {
    meanwhile: async (mine, line, server) => {
      await put(mine, line, server);
      server.clock += 2 * HOUR;
    },
  },
};

for (const [name, { before, meanwhile, sent }] of Object.entries(WAYS))
  for (const [off, clock] of [
    [HOUR, "ran ahead"],
    [-HOUR, "ran behind"],
    [400 * 24 * HOUR, "was a year ahead"],
  ] as const)
    test(`a form tells what stands by now, where its record ${name}: the clock ${clock}`, async () => {
      const server = base.copy();
      const line = phone(null, await copied(enrolled.env.indexedDB));
      const [mine, other] = [quick(line), quick(line.again())]; // the other tab does not sync
      for (const tab of [mine, other]) await tab.field.unlock(PIN);
      const taken = taking(server);
      mine.clock.now = other.clock.now = server.clock + off;
      await record(mine, "Tên trước");
      await before?.(mine);
      const forms = [
        await mine.field.openForm("na", first),
        await other.field.openForm("na", first),
      ] as const;
      await meanwhile?.(mine, line, server);
      line.serve = server.serve;
      if (sent !== false) assert.equal((await mine.field.syncNow()).problem, null);
      for (const [n, one] of [mine, other].entries()) {
        const form = forms[n] as (typeof forms)[0];
        await one.field.recordVisit(form, "met");
        await one.field.editHousehold(form, { place: { house: String(n) } });
      }
      line.serve = server.serve;
      for (const _ of [1, 2]) assert.equal((await mine.field.syncNow()).problem, null);
      right(server, taken, meanwhile && name.includes("built") ? 4 : 3);
      assert.equal(await (await openAccount(mine.env, "dev1")).count("own"), 0);
    });

/** A phone of two tabs whose clock is off; in the first one `then` happens once, while it encrypts what moves. */
async function busy(off: number, then: (mine: Phone, other: Phone) => Promise<unknown>) {
  const server = base.copy();
  const line = phone(server.serve, await copied(enrolled.env.indexedDB));
  const other = quick(line.again());
  const quickly = quick(line);
  const taken = taking(server);
  let isShifting = false;
  line.serve = async (asked) => {
    isShifting ||= Math.abs(JSON.parse(asked.body).clock - server.clock) >= HOUR;
    return server.serve(asked);
  };
  const encrypt: SubtleCrypto["encrypt"] = async (...what) => {
    if (isShifting) {
      isShifting = false;
      await then(mine, other);
    }
    return quickly.env.subtle.encrypt(...what);
  };
  const subtle = new Proxy(quickly.env.subtle, {
    get: (target, name) => (name === "encrypt" ? encrypt : Reflect.get(target, name)),
  });
  const mine = rebuilt(quickly, { subtle });
  for (const tab of [mine, other]) {
    await tab.field.unlock(PIN);
    tab.clock.now = server.clock + off;
  }
  return { server, mine, other, taken };
}

const MEANWHILE: Readonly<Record<string, (mine: Phone, other: Phone) => Promise<unknown>>> = {
  "in this tab, upon what moves": (mine) => record(mine, "Tên sau"),
  "in another tab, upon what moves": (_, other) => record(other, "Tên sau"),
  "in this tab, of another household": (mine) => record(mine, "Tên sau", second),
  "in another tab, of another household": (_, other) => record(other, "Tên sau", second),
};

for (const [where, save] of Object.entries(MEANWHILE))
  for (const [off, clock] of [
    [HOUR, "ran ahead"],
    [-HOUR, "ran behind"],
  ] as const)
    test(`what is saved while the clock is put right moves, too: ${where}; it ${clock}`, async () => {
      const { server, mine, taken } = await busy(off, save);
      await record(mine, "Tên trước");
      assert.equal((await mine.field.syncNow()).problem, null);
      right(server, taken, 2);
      assert.equal(await (await openAccount(mine.env, "dev1")).count("own"), 0);
      await record(mine, "Tên cuối"); // by the clock that has been put right once
      assert.equal((await mine.field.syncNow()).problem, null);
      right(server, taken, 3);
    });

test("what is handed to a courier while the clock is put right is not moved in its stead", async () => {
  let bundle = "";
  const { server, mine, taken } = await busy(HOUR, async (_, other) => {
    bundle = await hand(other);
  });
  await record(mine, "Tên trước");
  const held = await (await openAccount(mine.env, "dev1")).getAll("own");
  assert.equal((await mine.field.syncNow()).problem, null);
  right(server, taken, 1);
  assert.equal(bundle.split("\n").length, held.length + 2);
  for (const { id, rev } of held)
    assert.ok(
      taken.some(({ _id, _revisions: { ids } }) => _id === id && ids.includes(rev.slice(2))),
      id,
    );
});

for (const [how, isFirstDone, records] of [
  ["one after the other", true, 1],
  ["at once", false, 1],
  ["at once, with nothing to send", false, 0],
] as const)
  test(`a clock moves once where two tabs are told that it is wrong, ${how}`, async () => {
    const server = base.copy();
    const line = phone(null, await copied(enrolled.env.indexedDB));
    const slow = line.again();
    const tabs = [quick(line), quick(slow)] as const; // of a browser without locks
    const taken = taking(server);
    for (const tab of tabs) await tab.field.unlock(PIN);
    for (const tab of tabs) tab.clock.now = server.clock - HOUR;
    const [mine, other] = tabs;
    if (records > 0) await record(mine, "Tên trước");
    let both = () => {};
    const asked = new Promise<void>((resolve) => {
      both = resolve;
    });
    const over: Promise<unknown>[] = [];
    let wrong = 0;
    const answer: Serve = (request) => {
      if (Math.abs(JSON.parse(request.body).clock - server.clock) >= HOUR) wrong++;
      return server.serve(request);
    };
    line.serve = async (request) => {
      const answered = await answer(request);
      await asked;
      return answered;
    };
    slow.serve = async (request) => {
      const answered = await answer(request);
      both();
      if (isFirstDone) await over[0];
      return answered;
    };
    const first = mine.field.syncNow();
    over.push(first);
    for (const { problem } of await Promise.all([first, other.field.syncNow()])) assert.equal(problem, null);
    assert.equal(wrong, 2);
    await record(mine, "Tên sau");
    assert.equal((await mine.field.syncNow()).problem, null);
    right(server, taken, records + 1);
  });
