/**
 * Storage trouble at every step of everything that a phone writes: the record is either safely there, or the app has
 * said that it is not; never half of it, never counted wrong, never "received" unless the server said so. The
 * stories, two tabs and cleared storage look at what is left by the same means: one file.
 */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import test from "node:test";
import { gunzipSync } from "node:zlib";
import { edited } from "../src/core/edit.ts";
import type { JsonObject } from "../src/core/json.ts";
import { vi } from "../src/core/words/vi.ts";
import { fromBase64url } from "../src/data/bytes.ts";
import { FieldError, type Signing, type SyncState } from "../src/data/contract.ts";
import { openAccount } from "../src/data/db.ts";
import type { Env } from "../src/data/env.ts";
import { readAll, readOne, type Session } from "../src/data/records.ts";
import { type Draft, save } from "../src/data/save.ts";
import { open, RECORD } from "../src/data/seal.ts";
import { type Asked, json, type Phone, phone, type Serve } from "./phone.ts";
import { household, PIN, ScriptedServer, ulidOf } from "./server.ts";
import { copied, everywhere, opened, quick, rebuilt, type Story, type Trouble } from "./trouble.ts";

const KINDS: readonly Trouble[] = ["killed", "full", "failing"];
const first = ulidOf(1);
const pledge = `pledge:2026:${first}`;

const inspection = `inspection:${ulidOf(77)}`;

let server: ScriptedServer;
let revoked = false;
/** Whether the drop box gives no receipts. */
let silent = false;
/** Whether something before the server answers in place of the drop box. */
let shut = false;
/** What came of a picture; null: the server takes none. */
let picture: Buffer | null = null;
/** How long the pieces were in which it came. */
let pieces: number[] = [];
const PIXELS = new Uint8Array(50_000).map((_, n) => n % 251);

/** A phone that joined and synced, in a hamlet of three households. */
async function enrolled(): Promise<Phone> {
  base ??= await begun();
  server = base.server.copy();
  revoked = silent = shut = false;
  picture = null;
  pieces = [];
  const mine = quick(phone(serve, await copied(base.indexedDB)));
  await mine.field.unlock(PIN);
  return mine;
}

/** The one that the others are copies of. */
let base: { readonly server: ScriptedServer; readonly indexedDB: IDBFactory } | undefined;

async function begun() {
  server = await ScriptedServer.start();
  for (let n = 1; n <= 3; n++) server.put("hamlet-na", `household:${ulidOf(n)}`, household(n, `Hoàng ${n}`));
  const mine = quick(phone(serve));
  await join(mine);
  assert.equal((await mine.field.syncNow()).problem, null);
  return { server, indexedDB: mine.env.indexedDB };
}

/** The server, with a drop box for sealed records; it may have taken the phone off its list. */
const serve: Serve = async (asked) => {
  if (asked.path === "/db/_exchange" && revoked) return json({ error: "unauthorized" }, 401);
  if (asked.path.startsWith("/db/media-na/")) return media(asked);
  if (asked.path !== "/sealed") return server.serve(asked);
  if (shut) return new Response("<html>", { status: 502 });
  const told = revoked ? { revoked, restored: "b" } : {};
  if (silent) return json({ receipts: [], ...told });
  const lines = asked.body.split("\n").slice(1, -1);
  const receipts = await Promise.all(
    lines.map(async (line, n) => {
      const bytes = fromBase64url(line);
      const opened = gunzipSync(await open(phone().env, server.pair, server.keys.id, RECORD, bytes));
      const { db, doc } = JSON.parse(opened.toString()) as { db: string; doc: Record<string, never> };
      const { _id, _rev, _revisions, ...body } = doc as { [key: string]: string } & JsonObject;
      const { ids } = _revisions as unknown as { ids: string[] };
      if (server.winner(db, _id as string)?.rev !== _rev) server.put(db, _id as string, body, _rev, ids);
      return { line: n, sha256: createHash("sha256").update(bytes).digest("hex"), is: "received" };
    }),
  );
  return json({ receipts, ...told });
};

/** The part of the server that takes a picture: whole once the last byte has come. */
function media({ path, method, headers, raw }: Asked): Response {
  if (!picture) return json({ error: "not_found" }, 404);
  if (path.endsWith("/_bulk_docs")) return json([], 201);
  if (method === "HEAD") return new Response(null, { headers: { "Upload-Offset": `${picture.length}` } });
  const from = Number(/^bytes (\d+)-/.exec(headers["Content-Range"] ?? "")?.[1]);
  if (from > picture.length) return json({ error: "conflict" }, 409);
  picture = Buffer.concat([picture.subarray(0, from), raw ?? new Uint8Array()]);
  pieces.push(raw?.length ?? 0);
  return json({ offset: picture.length, complete: picture.length === PIXELS.length });
}

const SIGNING: Signing = {
  ...{ signer: "Hoàng Văn Một", role: "head", method: "touch", assisted: false, readAloud: true },
  strokes: [[1, 2, 3, 4]],
};

async function sign(mine: Phone): Promise<void> {
  await mine.field.recordSigned(await mine.field.openForm("na", first), SIGNING);
}

async function join(mine: Phone): Promise<void> {
  await mine.field.join("abcde-fgh10", "Điện thoại");
  await mine.field.setPin(PIN);
}

/** What holds of a phone's storage at any time, whatever happened to it. */
async function whole(mine: Phone): Promise<void> {
  const db = await openAccount(mine.env, "dev1");
  const { session } = mine.field as unknown as { session: Session };
  const [own, outbox] = await Promise.all([db.getAll("own"), db.getAll("outbox")]);
  const unsent = own.filter(({ state }) => state === "unsent").map(({ id, rev }) => `${id} ${rev}`);
  assert.deepEqual(outbox.map(({ id, rev }) => `${id} ${rev}`).sort(), unsent.sort());
  assert.equal((await mine.field.bundle()).split("\n").length, unsent.length + 2);
  const pledges = unsent.filter((one) => !one.startsWith("signature:")).length;
  assert.equal((await mine.field.syncState()).waiting, pledges || unsent.length);
  for (const { db: name, id, rev, state } of own)
    if (state === "received")
      assert.ok(
        server.winner(name, id)?.revs.includes(rev.slice(rev.indexOf("-") + 1)),
        `${id} is not there`,
      );
  for (const { db: name, id, page } of await db.getAll("heads"))
    assert.ok(page === null || (await readAll(session, name, id)).get(id)?.winner, `${id} has no body`);
  const pictures = (await db.getAllKeys("pictures")).map(([sha256, size]) => `${sha256} ${size}`);
  const photos = await db.getAll("photos");
  const sizes = photos.flatMap(({ sha256, state }) =>
    (state === "received" ? ["thumb"] : ["full", "thumb"]).map((size) => `${sha256} ${size}`),
  );
  assert.deepEqual(pictures.sort(), sizes.sort());
  db.close();
}

/** A person was told that it is not saved, in words that say so. */
function saysSo(error: unknown): void {
  assert.ok(error instanceof FieldError, String(error));
  assert.match(vi[`error.${error.code}`], /CHƯA LƯU ĐƯỢC/);
}

/** The story of something that is saved at once: `saved` looks whether it is there. */
function saving<T>(
  { ready, act }: Pick<Story<T>, "ready" | "act">,
  saved: (again: Phone) => Promise<boolean>,
) {
  return story<T>({
    begin: enrolled,
    ...(ready ? { ready } : {}),
    act,
    check: async (again, ending, told) => {
      await again.field.unlock(PIN);
      await whole(again);
      const kept = await saved(again);
      if (ending === "failed") saysSo(told);
      if (ending !== "killed") assert.equal(kept, ending === "done");
      const state = await again.field.syncNow();
      assert.deepEqual([state.problem, state.waiting], [null, 0]);
      assert.equal(await saved(again), kept);
      await whole(again);
    },
  });
}

const story = <T>(told: Story<T>): Story => told as Story;

const signed = saving(
  {
    ready: (mine) => mine.field.openForm("na", first),
    act: (mine, form) => mine.field.recordSigned(form, SIGNING),
  },
  async (again) => {
    const { acts, where } = await again.field.household("na", first);
    const sent = server.winner("hamlet-na", pledge);
    assert.equal(where === "received", sent !== undefined);
    assert.equal(acts.length, where === null ? 0 : 1);
    if (sent) assert.equal((sent.doc.acts as unknown[]).length, 1);
    return acts.length === 1;
  },
);

const meeting = saving(
  {
    act: (mine) =>
      mine.field.meeting("na", {
        ...{ date: "2026-03-01", sheet: 2, readAloud: true },
        households: [1, 2, 3].map((n) => ({
          ...{ id: ulidOf(n), signer: `Hoàng ${n}`, role: "head" as const, method: "paper_signed" as const },
        })),
      }),
  },
  async (again) => {
    const [hamlet] = await again.field.hamlets();
    assert.ok(hamlet?.signed === 0 || hamlet?.signed === 3, `${hamlet?.signed} of 3 signed`);
    return hamlet.signed === 3;
  },
);

const photograph = saving(
  {
    ready: async (mine) => (mine.field as unknown as { session: Session }).session,
    act: (mine, session) => inspect(mine, session, new Uint8Array(100)),
  },
  async (again) => {
    const { session } = again.field as unknown as { session: Session };
    const { known, photos } = await seen(session);
    const shown = ((known?.own[0] ?? known?.winner)?.body.photos ?? []) as { id: string }[];
    for (const { id } of shown) assert.ok(photos.has(id), "an inspection shows a picture that is not here");
    return shown.length === 1;
  },
);

/** Takes a picture, and saves the inspection that shows it. */
async function inspect(mine: Phone, session: Session, pixels: Uint8Array<ArrayBuffer>): Promise<void> {
  const sha256 = await mine.field.addPhoto("na", new Blob([pixels], { type: "image/webp" }));
  const photos = [{ id: sha256, item: "tap" }];
  const answers = { checklist: "thu", version: 1, values: {} };
  const fields = { subject: `model:${ulidOf(5)}`, date: "2026-03-02", answers, photos };
  const make: Draft["make"] = ({ stamp }) => ({
    body: edited(null, "inspection", { fields }, stamp, session.account.user.id),
    acts: [],
  });
  await save(session, [{ db: "hamlet-na", id: inspection, base: null, make }]);
}

async function seen(session: Session) {
  const known = await readOne(session, "hamlet-na", inspection);
  return { known, photos: new Set((await session.db.getAllKeys("photos")).map(String)) };
}

/** Answers for what waits as a server does: it names what it has, and asks for what it has not. */
function asks(then: (parts: unknown[], wanted: Wanted) => unknown[] = (parts) => parts): void {
  server.parts = (parts, { body }) => {
    const wanted = (JSON.parse(body) as { dbs: Record<string, Wanted> }).dbs;
    const [hello, ...rest] = then(parts, wanted["hamlet-na"] ?? {});
    if (rest.length === 0) return hello === undefined ? [] : [hello]; // the clock was wrong
    const told = Object.entries(wanted).flatMap(([db, { waiting = [] }]) => {
      const [here, lacking] = [true, false].map((has) =>
        waiting.filter(([id, rev]) => holds(db, id, rev) === has),
      );
      return [
        { db, outcomes: here?.map(([id, rev]) => [id, rev, "received"]) },
        { db, missing: lacking },
      ];
    });
    return [hello, ...told, ...rest];
  };
}

type Named = readonly (readonly [id: string, rev: string])[];
interface Wanted {
  readonly since?: string | null;
  readonly docs?: readonly { readonly _id: string }[];
  readonly waiting?: Named;
  readonly have?: Named;
}

const holds = (db: string, id: string, rev: string) =>
  server.winner(db, id)?.revs.includes(rev.slice(rev.indexOf("-") + 1)) === true;

const NEXT = "24682468";

const STORIES: Readonly<Record<string, Story>> = {
  "a pledge with its signature": signed,
  "a meeting": meeting,
  "a photograph and the inspection that shows it": photograph,

  "a sync that sends, brings and erases": {
    begin: async () => {
      const mine = await enrolled();
      await sign(mine);
      server.put("hamlet-na", `household:${ulidOf(9)}`, household(9, "Mới đến"));
      server.put("hamlet-na", `household:${ulidOf(2)}`, household(2, "Tên mới"), "2-bb");
      server.rows.delete(`hamlet-na household:${ulidOf(3)}`);
      const erased = { db: "hamlet-na", outcomes: [[`household:${ulidOf(3)}`, "1-aa", "erased"]] };
      server.parts = ([hello, ...parts]) => [hello, erased, ...parts];
      return mine;
    },
    act: (mine) => mine.field.syncNow(),
    check: async (again, ending, told) => {
      await again.field.unlock(PIN);
      await whole(again);
      const rows = async () => (await again.field.households("na")).map(({ name }) => name);
      const { outcome, where } = await again.field.household("na", first);
      assert.equal(outcome, "signed");
      if (where === "received") assert.ok(server.winner("hamlet-na", pledge));
      if (ending === "done" && (told as SyncState).problem === null) {
        assert.equal(where, "received");
        assert.deepEqual(await rows(), ["Hoàng 1", "Tên mới", "Mới đến"]);
      }
      const state = await again.field.syncNow();
      assert.deepEqual([state.problem, state.waiting], [null, 0]);
      assert.deepEqual(await rows(), ["Hoàng 1", "Tên mới", "Mới đến"]);
      assert.equal((await again.field.household("na", first)).where, "received");
      await whole(again);
    },
  },

  "a sync by a wrong clock": {
    begin: async () => {
      const mine = await enrolled();
      asks();
      mine.clock.now -= 3 * 3_600_000;
      await sign(mine);
      return mine;
    },
    act: (mine) => mine.field.syncNow(),
    check: async (again) => {
      await again.field.unlock(PIN);
      await whole(again);
      const { outcome, acts } = await again.field.household("na", first);
      assert.deepEqual([outcome, acts.length], ["signed", 1]);
      const state = await again.field.syncNow();
      assert.deepEqual([state.problem, state.waiting], [null, 0]);
      assert.equal((server.winner("hamlet-na", pledge)?.doc.acts as unknown[] | undefined)?.length, 1);
      assert.equal((await again.field.household("na", first)).acts.length, 1);
      await whole(again);
    },
  },

  "a sync with a server that has lost its last days": {
    begin: async () => {
      const mine = await enrolled();
      await sign(mine);
      assert.equal((await mine.field.syncNow()).waiting, 0);
      await mine.field.recordVisit(await mine.field.openForm("na", ulidOf(2)), "met");
      server.rows.delete(`hamlet-na ${pledge}`);
      let anew = false; // from then on the positions are its own
      asks((parts, { since, docs = [], have = [] }) => {
        const isHere = (part: unknown) => (part as { db?: string }).db === "hamlet-na";
        const [hello, ...rest] = parts;
        if (since && !anew) {
          for (const { _id } of docs) server.rows.delete(`hamlet-na ${_id}`); // it takes nothing yet
          const others = rest.filter((part) => !isHere(part));
          return [hello, { db: "hamlet-na", position_lost: true }, ...others];
        }
        anew = true;
        const missing = have.filter(([id]) => !server.winner("hamlet-na", id));
        return missing.length > 0 ? [hello, { db: "hamlet-na", missing }, ...rest] : parts;
      });
      return mine;
    },
    act: (mine) => mine.field.syncNow(),
    check: async (again) => {
      await again.field.unlock(PIN);
      for (let n = 0; n < 3; n++) assert.equal((await again.field.syncNow()).problem, null);
      assert.equal((await again.field.household("na", first)).outcome, "signed");
      assert.equal((await again.field.household("na", ulidOf(2))).outcome, "met");
      assert.ok(server.winner("hamlet-na", pledge), "what was received before is given back");
      assert.ok(server.winner("hamlet-na", `pledge:2026:${ulidOf(2)}`), "what was unsent arrives");
      assert.equal((await again.field.syncState()).waiting, 0);
      await whole(again);
    },
  },

  "a photograph on its way": {
    begin: async () => {
      const mine = await enrolled();
      mine.weak = true; // so that it goes in three pieces
      await inspect(mine, (mine.field as unknown as { session: Session }).session, PIXELS);
      await mine.field.syncNow(); // the text alone
      picture = Buffer.alloc(0);
      return mine;
    },
    act: (mine) => mine.field.syncNow(),
    check: async (again, ending, told) => {
      await again.field.unlock(PIN);
      await whole(again);
      const { waiting, refused } = await again.field.photos();
      if (waiting === 0) assert.deepEqual(picture && new Uint8Array(picture), PIXELS);
      if (ending === "done" && (told as SyncState).problem === null) {
        assert.equal(waiting, 0);
        assert.deepEqual(pieces, [24_000, 24_000, 2_000]);
      }
      assert.equal(refused, 0);
      assert.equal((await again.field.syncNow()).problem, null);
      assert.equal((await again.field.photos()).waiting, 0);
      assert.deepEqual(picture && new Uint8Array(picture), PIXELS);
      await whole(again);
    },
  },

  "a hand-in while locked": {
    at: "locked",
    begin: async () => {
      const mine = await enrolled();
      await sign(mine);
      return mine;
    },
    act: (mine) => mine.field.syncNow(),
    check: async (again, ending, told) => {
      if (ending === "done" && (told as SyncState).problem === null)
        assert.ok(server.winner("hamlet-na", pledge));
      await again.field.unlock(PIN);
      await whole(again);
      assert.equal((await again.field.household("na", first)).outcome, "signed");
      assert.equal((await again.field.syncNow()).waiting, 0);
      assert.equal((server.winner("hamlet-na", pledge)?.doc.acts as unknown[] | undefined)?.length, 1);
      await whole(again);
    },
  },

  "a new PIN": {
    begin: enrolled,
    act: (mine) => mine.field.changePin(PIN, NEXT),
    check: async (again, ending, told) => {
      if (ending === "failed") saysSo(told);
      const opens = async (pin: string) =>
        again.field.unlock(pin).then(
          () => true,
          (error) => error.code !== "wrong_pin" && Promise.reject(error),
        );
      const [old, next] = [await opens(PIN), await opens(NEXT)];
      assert.notEqual(old, next, "one of the two opens");
      if (ending !== "killed") assert.equal(next, ending === "done");
      assert.equal((await again.field.households("na")).length, 3);
    },
  },

  "a half-filled form": {
    begin: async () => {
      const mine = await enrolled();
      await mine.field.keepDraft("meeting/na", { sheet: "7" });
      return mine;
    },
    act: (mine) => mine.field.keepDraft("meeting/na", { sheet: "8" }),
    check: async (again, ending, told) => {
      await again.field.unlock(PIN);
      const { sheet } = (await again.field.draft("meeting/na")) as { sheet: string };
      if (ending === "failed") saysSo(told);
      assert.ok(ending === "killed" ? ["7", "8"].includes(sheet) : sheet === (ending === "done" ? "8" : "7"));
    },
  },

  joining: {
    at: "closed",
    begin: async () => {
      server = await ScriptedServer.start();
      return quick(phone(serve));
    },
    act: join,
    check: async (again, ending, told) => {
      if (ending === "failed") assert.ok(told instanceof FieldError, String(told));
      const life = await again.field.lifecycle();
      assert.ok(life === "locked" || (life === "new" && ending !== "done"), life);
      if (life === "new") await join(again);
      else await again.field.unlock(PIN);
      assert.equal((await again.field.syncNow()).problem, null);
      assert.equal((await again.field.hamlets()).length, 1);
    },
  },

  "the storage of an older app": {
    at: "closed",
    begin: async () => {
      const mine = await enrolled();
      await sign(mine);
      // Version 1 had no photographs, and carried nothing for others.
      const older = await copied(mine.env.indexedDB, 1, ["photos", "pictures", "carried"]);
      return quick(phone(serve, older));
    },
    act: async (mine) => {
      assert.equal(await mine.field.lifecycle(), "locked");
      await mine.field.unlock(PIN);
    },
    check: async (again) => {
      await again.field.unlock(PIN);
      await whole(again);
      assert.equal((await again.field.household("na", first)).outcome, "signed");
      await again.field.addPhoto("na", new Blob([new Uint8Array(100)]));
      assert.equal((await again.field.syncNow()).waiting, 0);
      assert.equal((await again.field.household("na", first)).where, "received");
    },
  },

  "a phone that the office took off its list": {
    begin: async () => {
      const mine = await enrolled();
      await mine.field.editHousehold(await mine.field.openForm("na", ulidOf(2)), { name: "Hoàng Mới" });
      await mine.field.syncNow(); // it may be lost since: the server was restored
      await sign(mine);
      revoked = true;
      return mine;
    },
    act: (mine) => mine.field.syncNow(),
    check: async (again) => {
      if ((await again.field.lifecycle()) === "locked") {
        await again.field.unlock(PIN);
        assert.equal((await again.field.household("na", first)).outcome, "signed");
        await again.field.syncNow();
      }
      assert.equal(await again.field.lifecycle(), "new");
      const left = (await again.env.indexedDB.databases()).map(({ name }) => name);
      assert.ok(!left.includes("camket-dev1"), "its data is gone");
      assert.ok(server.winner("hamlet-na", pledge), "what was unsent was handed in");
    },
  },
};

/** A disk that fails once does the same to these as a full one, or a death. */
const TOLD_ENOUGH = [
  "a meeting",
  "a sync that sends, brings and erases",
  "a sync by a wrong clock",
  "a sync with a server that has lost its last days",
  "joining",
  "the storage of an older app",
  "a phone that the office took off its list",
];

for (const [name, told] of Object.entries(STORIES))
  for (const kind of KINDS)
    if (kind !== "failing" || !TOLD_ENOUGH.includes(name))
      test(`${name}: ${kind} at every step`, async () => {
        assert.ok((await everywhere(kind, told)) > 2);
      });

// --- two tabs

/** A second tab over the same storage, under the same Web Locks. */
async function tab(mine: Phone): Promise<Phone> {
  const other = quick(mine.again());
  await other.field.unlock(PIN);
  return other;
}

test("of two tabs that sync at once one does, and neither says anything wrong", async () => {
  const mine = await enrolled();
  const locks = new Set<string>();
  const alone: Env["alone"] = async (name, work) => {
    if (locks.has(name)) return null;
    locks.add(name);
    return work().finally(() => locks.delete(name));
  };
  const one = rebuilt(mine, { alone });
  await one.field.unlock(PIN);
  const other = rebuilt(mine, { alone });
  await other.field.unlock(PIN);
  await sign(one);
  const before = server.requests.length;
  const [here, there] = await Promise.all([one.field.syncNow(), other.field.syncNow()]);
  assert.deepEqual([here.problem, there.problem], [null, null]);
  assert.equal(server.requests.length, before + 1);
  assert.equal((await other.field.syncNow()).waiting, 0);
  assert.equal((await other.field.household("na", first)).where, "received");
  await whole(one);
});

test("two tabs that save on one form both keep their act", async () => {
  const mine = await enrolled();
  const other = await tab(mine);
  const forms = [await mine.field.openForm("na", first), await other.field.openForm("na", first)] as const;
  await Promise.all([
    mine.field.recordVisit(forms[0], "met"),
    other.field.recordVisit(forms[1], "come_back"),
  ]);
  assert.equal((await mine.field.household("na", first)).acts.length, 2);
  await whole(mine);
  assert.equal((await mine.field.syncNow()).waiting, 0);
});

test("a tab whose storage a newer app upgraded says so, and saves nothing unseen", async () => {
  const mine = await enrolled();
  const form = await mine.field.openForm("na", first);
  const told = new Promise((resolve) => mine.field.onChange(resolve));
  (await opened(mine.env.indexedDB.open("camket-dev1", 99))).close();
  assert.equal(await told, "lifecycle");
  await assert.rejects(mine.field.recordVisit(form, "met"), { name: "FieldError" });
  await assert.rejects(mine.field.lifecycle(), { code: "outdated" });
});

test("a tab of an older app that does not let go is named, and the way is free once it is closed", async () => {
  const { indexedDB } = (await enrolled()).env;
  const older = await copied(indexedDB, 1, ["photos", "pictures", "carried"]);
  const held = await opened(older.open("camket-dev1"));
  const mine = quick(phone(serve, older));
  await assert.rejects(mine.field.lifecycle(), { code: "blocked" });
  held.close();
  await new Promise((resolve) => setTimeout(resolve, 20)); // the first try comes to its end
  assert.equal(await mine.field.lifecycle(), "locked");
  await mine.field.unlock(PIN);
});

test("a tab whose account another tab removed shows the phone as it is now", async () => {
  const mine = await enrolled();
  const other = await tab(mine);
  revoked = true;
  const told = new Promise((resolve) => other.field.onChange(resolve));
  await mine.field.syncNow();
  assert.equal(await told, "lifecycle");
  assert.deepEqual([await mine.field.lifecycle(), await other.field.lifecycle()], ["new", "new"]);
});

test("a phone that the office took off its list forgets nothing that nobody has received", async () => {
  const mine = await enrolled();
  await sign(mine);
  revoked = silent = true;
  assert.equal((await mine.field.syncNow()).problem, "revoked");
  assert.equal((await mine.field.household("na", first)).outcome, "signed");
  silent = false;
  await mine.field.syncNow();
  assert.equal(await mine.field.lifecycle(), "new");
  assert.ok(server.winner("hamlet-na", pledge));
});

test("a phone does not say that it was shut out while the server cannot be asked who it is", async () => {
  const mine = await enrolled();
  await sign(mine);
  revoked = true; // or the server was restored to before the phone had joined: only the drop box tells
  shut = true;
  const { problem, waiting } = await mine.field.syncNow();
  assert.deepEqual([problem, waiting, await mine.field.lifecycle()], ["server", 1, "open"]);
  const again = quick(mine.again());
  assert.equal((await again.field.syncState()).problem, "server", "nor once the app is opened anew");
  shut = false;
  await mine.field.syncNow();
  assert.equal(await mine.field.lifecycle(), "new");
});

// --- storage that is cleared away

/** What "clear site data", or a browser short of room, leaves behind. */
async function evicted(mine: Phone, names: readonly string[]): Promise<Phone> {
  await mine.field.syncState();
  const later = quick(mine.again());
  for (const name of names) await opened(mine.env.indexedDB.deleteDatabase(name));
  return later;
}

for (const names of [["camket"], ["camket-dev1"], ["camket", "camket-dev1"]])
  test(`where ${names.join(" and ")} vanished, the app says so and shows no empty round`, async () => {
    const mine = await enrolled();
    await sign(mine);
    const later = await evicted(mine, names);
    if (!names.includes("camket-dev1")) {
      // The account itself is there: it only has to be put back on the list.
      assert.equal(await later.field.lifecycle(), "locked");
      await later.field.unlock(PIN);
      return whole(later);
    }
    assert.equal(await later.field.lifecycle(), "lost");
    assert.deepEqual([(await later.field.lost())?.unsent, await later.field.account()], [1, null]);
    await assert.rejects(later.field.unlock(PIN), { code: "missing" });
    assert.equal(await quick(later.again()).field.lifecycle(), "lost", "until somebody has read it");
    await later.field.acceptLoss();
    assert.equal(await later.field.lifecycle(), "new");
    await join(later);
    assert.equal((await later.field.syncNow()).problem, null);
    assert.equal((await later.field.households("na")).length, 3);
    assert.equal(await quick(later.again()).field.lifecycle(), "locked");
  });

test("storage that vanishes under an open app is told at once", async () => {
  const mine = await enrolled();
  const told = new Promise((resolve) => mine.field.onChange(resolve));
  await mine.field.syncState();
  await opened(mine.env.indexedDB.deleteDatabase("camket-dev1"));
  assert.equal(await told, "lifecycle");
  assert.equal(await mine.field.lifecycle(), "lost");
});

test("a phone that nobody used is new, and one that the office took off its list is not called lost", async () => {
  assert.equal(await phone(serve).field.lifecycle(), "new");
  const mine = await enrolled();
  await sign(mine);
  revoked = true;
  await mine.field.syncNow();
  assert.equal(await quick(mine.again()).field.lifecycle(), "new");
});

test("while the phone can write nothing down, it does not say that it synced", async () => {
  const mine = await enrolled();
  await sign(mine);
  const { transaction } = IDBDatabase.prototype;
  IDBDatabase.prototype.transaction = function (this: IDBDatabase, ...args) {
    if (args[1] === "readwrite") throw new DOMException("full", "QuotaExceededError");
    return transaction.apply(this, args);
  };
  const state = await mine.field.syncNow();
  IDBDatabase.prototype.transaction = transaction;
  assert.deepEqual([state.problem, state.waiting], ["storage_full", 1]);
  assert.equal((await mine.field.syncNow()).problem, null);
});

test("a locked phone that finds no server does not say that it handed in", async () => {
  const mine = await enrolled();
  await sign(mine);
  const locked = rebuilt(mine.again(), { fetch: () => Promise.reject(new TypeError("no signal")) });
  assert.equal((await locked.field.syncNow()).problem, "offline");
});
