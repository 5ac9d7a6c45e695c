/**
 * A death, or a phone without room, at every step of what most days need nothing of: carrying for others, a hamlet
 * that is somebody else's, a forgotten PIN, joining again. What each day needs: trouble.test.ts.
 */
import assert from "node:assert/strict";
import { createHash, createHmac } from "node:crypto";
import test from "node:test";
import { keysOf, openAccount } from "../src/data/db.ts";
import { json, type Phone, phone, type Serve } from "./phone.ts";
import { household, PIN, ScriptedServer, ulidOf } from "./server.ts";
import { copied, everywhere, quick, type Story } from "./trouble.ts";

const first = ulidOf(1);
const pledge = `pledge:2026:${first}`;
const NEXT = "97531975";
const SEND = "s.dev1.secret";

let server: ScriptedServer;
/** What came to the drop box, by digest. */
let handedIn: Set<string>;
/** Whether the server knows this phone. */
let known = true;

const digestOf = (record: string) =>
  createHash("sha256").update(Buffer.from(record, "base64url")).digest("hex");

/** A receipt's proof, as `server/sealed.py` writes it. */
const proofOf = (sha256: string) =>
  createHmac("sha256", SEND)
    .update(`camket receipt 1\n${sha256}\nreceived\n`)
    .digest()
    .subarray(0, 16)
    .toString("base64url");

const serve: Serve = (asked) => {
  if (asked.path === "/join") known = true;
  else if (!known) return json({ error: "unauthorized" }, 401);
  if (asked.path !== "/sealed") return server.serve(asked);
  const records = asked.body.split("\n").slice(1, -1);
  const receipts = records.map(digestOf).map((sha256) => {
    handedIn.add(sha256);
    return { sha256, is: "received", proof: proofOf(sha256) };
  });
  return json({ receipts });
};

/** A phone that joined and synced, as it is after `before`; each run of a story has a copy. */
async function begun(before: (mine: Phone) => Promise<unknown>): Promise<() => Promise<Phone>> {
  const origin = await ScriptedServer.start();
  for (let n = 1; n <= 3; n++) origin.put("hamlet-na", `household:${ulidOf(n)}`, household(n, `Hoàng ${n}`));
  const mine = quick(phone(origin.serve));
  await mine.field.join("abcde-fgh10", "Điện thoại");
  await mine.field.setPin(PIN);
  assert.equal((await mine.field.syncNow()).problem, null);
  await before(mine);
  await mine.field.lock();
  return async () => {
    server = origin.copy();
    handedIn = new Set();
    known = true;
    const copy = quick(phone(serve, await copied(mine.env.indexedDB)));
    copy.weak = true; // so that what is carried takes several requests
    await copy.field.unlock(PIN);
    return copy;
  };
}

const sign = async (mine: Phone) =>
  mine.field.recordSigned(await mine.field.openForm("na", first), {
    ...{ signer: "Hoàng Văn Một", role: "head", method: "touch", assisted: false, readAloud: true },
    strokes: [[1, 2, 3, 4]],
  });

const RECORDS = [1, 2, 3].map((n) => Buffer.alloc(10_000, n).fill(1, 0, 1).toString("base64url"));
const BUNDLE = ["camket-bundle 1 key1", ...RECORDS, ""].join("\n");
const take = async (mine: Phone, text: string) => (await mine.field.courier()).take(text);
const carrying = async (mine: Phone) => (await (await mine.field.courier()).state()).carrying;

/** All that was carried is at the office, once the phone has synced; and its receipts go back. */
async function delivered(mine: Phone): Promise<void> {
  assert.equal((await mine.field.syncNow()).problem, null);
  const { carrying, answered } = await (await mine.field.courier()).state();
  assert.deepEqual([carrying, answered], [0, 3]);
  assert.deepEqual([...handedIn].sort(), RECORDS.map(digestOf).sort());
  assert.equal((await (await mine.field.courier()).receipts()).split("\n").length, 1 + 3 + 1);
}

/** A pledge with its signature is with the office, once, and nothing of it waits. */
async function settled(mine: Phone): Promise<void> {
  for (let n = 0; n < 2; n++) assert.equal((await mine.field.syncNow()).problem, null);
  assert.equal((await mine.field.syncState()).waiting, 0);
  assert.equal((server.winner("hamlet-na", pledge)?.doc.acts as unknown[] | undefined)?.length, 1);
}

const told = <T>(one: Story<T>): Story => one as Story;

const STORIES: Readonly<Record<string, () => Promise<Story>>> = {
  "records of another phone are taken": async () => ({
    begin: await begun(async () => {}),
    act: (mine) => take(mine, BUNDLE),
    check: async (again, ending) => {
      await again.field.unlock(PIN);
      const before = await carrying(again);
      assert.ok(ending === "done" ? before === 3 : [0, 3].includes(before), `${before}`);
      await take(again, BUNDLE);
      assert.equal(await carrying(again), 3);
      await delivered(again);
    },
  }),

  "what is carried is delivered": async () => ({
    begin: await begun((mine) => take(mine, BUNDLE)),
    act: (mine) => mine.field.syncNow(),
    check: async (again) => {
      await again.field.unlock(PIN);
      const { carrying, answered } = await (await again.field.courier()).state();
      assert.equal(carrying + answered, 3);
      assert.ok(answered <= handedIn.size);
      await delivered(again);
    },
  }),

  "receipts come back": async () =>
    told({
      begin: await begun(sign),
      ready: async (mine) => {
        const given = await mine.field.bundle();
        await (await mine.field.courier()).handedOver(given);
        const digests = given.split("\n").slice(1, -1).map(digestOf);
        return ["camket-receipts 1", ...digests.map((one) => `${one} received ${proofOf(one)}`), ""].join(
          "\n",
        );
      },
      act: (mine, receipts) => take(mine, receipts as string),
      check: async (again, ending) => {
        await again.field.unlock(PIN);
        const { where, outcome } = await again.field.household("na", first);
        assert.equal(outcome, "signed");
        if (ending === "done") assert.equal(where, "received");
        const db = await openAccount(again.env, "dev1");
        const own = await db.getAll("own");
        const unsent = own.flatMap(({ state, rev }) => (state === "unsent" ? [rev] : []));
        assert.deepEqual((await db.getAll("outbox")).map(({ rev }) => rev).sort(), unsent.sort());
        db.close();
      },
    }),

  "a hamlet that is somebody else's by now": async () => ({
    begin: async () => {
      const mine = await (await begun(sign))();
      server.parts = ([hello, ...rest]) => [
        { ...(hello as object), dbs: ["commune"] },
        ...rest.filter((part) => !("rows" in (part as object)) || (part as { db: string }).db === "commune"),
      ];
      const { parts } = server;
      server.parts = (all, asked) => {
        const [hello, ...rest] = parts(all, asked);
        return "hamlet-na" in JSON.parse(asked.body).dbs
          ? [hello, ...rest.slice(0, -1), { db: "hamlet-na", gone: true }, ...rest.slice(-1)]
          : [hello, ...rest];
      };
      return mine;
    },
    act: (mine) => mine.field.syncNow(),
    check: async (again) => {
      await again.field.unlock(PIN);
      await settled(again);
      const db = await openAccount(again.env, "dev1");
      assert.deepEqual(await db.getAllKeys("databases"), ["commune"]);
      for (const store of ["heads", "own", "outbox"] as const)
        assert.equal(await db.count(store, keysOf("hamlet-na")), 0, store);
      assert.equal(await db.countFromIndex("pages", "db", "hamlet-na"), 0);
      db.close();
    },
  }),

  "a forgotten PIN": async () => ({
    at: "locked",
    begin: await begun(sign),
    act: async (mine) => {
      await mine.field.forgotPin();
      await server.approveRecovery();
      assert.equal(await mine.field.recovery(), "approved");
      await mine.field.recover(NEXT);
    },
    check: async (again, ending) => {
      const opens = (pin: string) =>
        again.field.unlock(pin).then(
          () => true,
          (error) => error.code !== "wrong_pin" && Promise.reject(error),
        );
      const [next, old] = [await opens(NEXT), await opens(PIN)];
      assert.notEqual(next, old, "one of the two opens");
      if (ending === "done") assert.ok(next);
      assert.equal((await again.field.household("na", first)).outcome, "signed");
      await settled(again);
    },
  }),

  "joining again as who one was": async () => ({
    begin: async () => {
      const mine = await (await begun(sign))();
      known = false;
      assert.equal((await mine.field.syncNow()).problem, "unknown");
      return mine;
    },
    act: async (mine) => {
      await mine.field.join("abcde-fgh10", "Điện thoại");
      await mine.field.setPin(PIN);
    },
    check: async (again, ending) => {
      assert.equal(await again.field.lifecycle(), "locked");
      if (ending !== "done") {
        await again.field.join("abcde-fgh10", "Điện thoại");
        await again.field.setPin(PIN);
      } else await again.field.unlock(PIN);
      assert.equal((await again.field.accounts()).length, 1);
      assert.equal((await again.field.household("na", first)).outcome, "signed");
      await settled(again);
    },
  }),
};

for (const [name, make] of Object.entries(STORIES))
  for (const kind of ["killed", "full"] as const)
    test(`${name}: ${kind} at every step`, async () => {
      assert.ok((await everywhere(kind, await make())) > 2);
    });
