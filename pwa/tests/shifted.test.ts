/** Forms that were open while the phone's clock was put right: what they opened on tells other times by then. */
import assert from "node:assert/strict";
import test from "node:test";
import type { Stamps } from "../src/core/stamps.ts";
import { openAccount } from "../src/data/db.ts";
import { type Phone, phone } from "./phone.ts";
import { household, PIN, ScriptedServer, ulidOf } from "./server.ts";
import { copied, quick } from "./trouble.ts";

const HOUR = 3_600_000;
const first = ulidOf(1);

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

async function record(mine: Phone, name: string): Promise<void> {
  const form = await mine.field.openForm("na", first);
  await mine.field.recordVisit(form, "nobody_home");
  await mine.field.editHousehold(form, { name });
}

/** The server says how wrong the clock is, and the link is gone before anything is sent again. */
async function put(mine: Phone, line: Phone, server: ScriptedServer): Promise<void> {
  let asked = 0;
  line.serve = (one) => (asked++ > 0 ? Promise.reject(new TypeError("cut")) : server.serve(one));
  assert.equal((await mine.field.syncNow()).problem, "offline");
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
  "moved on top of it, since a courier may bring it": { before: (mine) => mine.field.bundle() },
  "waits for the answer whether a courier has brought it": {
    before: (mine) => mine.field.bundle(),
    meanwhile: put,
    sent: false,
  },
  "had been built upon by another form": { meanwhile: (mine) => record(mine, "Tên giữa") },
  "had been built upon by another form after it left": {
    before: (mine) => mine.field.bundle(),
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
      const told = new Map<string, Set<string>>();
      const near = (ms: number) => Math.abs(ms - server.clock) < 60_000;
      for (const { _rev, acts = [], stamps } of taken) {
        for (const { id, at } of acts) told.set(id, (told.get(id) ?? new Set()).add(at));
        for (const stamp of Object.values(stamps))
          if (stamp.endsWith("dev1")) assert.ok(near(Number(stamp.slice(0, 13))), `${_rev}: ${stamp}`);
      }
      assert.equal(told.size, meanwhile && name.includes("built") ? 4 : 3);
      for (const [id, times] of told) {
        assert.equal(times.size, 1, `${id}: ${[...times]}`);
        for (const at of times) assert.ok(near(Date.parse(at)), `${id}: ${at}`);
      }
      assert.equal(await (await openAccount(mine.env, "dev1")).count("own"), 0);
    });
