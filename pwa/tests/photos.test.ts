/** Photographs: kept encrypted, sent after all text, resumed after every cut; one file, one real server. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { after, before, test } from "node:test";
import { edited } from "../src/core/edit.ts";
import type { Json } from "../src/core/json.ts";
import { openAccount, type Photo } from "../src/data/db.ts";
import { plain } from "../src/data/jpeg.ts";
import { KEPT } from "../src/data/photos.ts";
import type { Session } from "../src/data/records.ts";
import { readAll } from "../src/data/records.ts";
import { save } from "../src/data/save.ts";
import { send as uploads } from "../src/data/upload.ts";
import { type Asked, json, NOON, type Phone, type Serve } from "./phone.ts";
import { RealServer } from "./real.ts";
import { enrolled as enrolledHere, PIN, ScriptedServer, ulidOf } from "./server.ts";

const PYTHON = process.env.CAMKET_PYTHON ?? "python3";
/** Noise of 200 × 150 pixels (what the tests' phone says of every picture), some 50 kB; with a comment in a JPEG. */
const DRAW = `
import sys, hashlib
from PIL import Image
kind, seed = sys.argv[1], int(sys.argv[2])
noise = b"".join(hashlib.sha256(bytes([i % 256, i // 256, seed])).digest() for i in range(200 * 150 * 3 // 32 + 1))
image = Image.frombytes("RGB", (200, 150), noise[: 200 * 150 * 3])
image.save(sys.stdout.buffer, kind, quality=90, **({"comment": b"Ba Vi"} if kind == "JPEG" else {}))
`;
const drawn = (kind: string, seed = 0) =>
  new Uint8Array(execFileSync(PYTHON, ["-c", DRAW, kind, String(seed)]));
const webp = drawn("WEBP");
const sha = createHash("sha256").update(webp).digest("hex");
const picture = () => new Blob([webp], { type: "image/webp" });

let server: RealServer;
before(async () => {
  server = await RealServer.start();
});
after(() => server.end());

async function joined(user = server.commune.users[0]): Promise<Phone> {
  const mine = server.phone();
  await mine.field.join(invite(user), "Điện thoại");
  await mine.field.setPin(PIN);
  assert.equal((await mine.field.syncNow()).problem, null);
  return mine;
}

function invite(user: string): string {
  const code = /[0-9A-Z]{5}-[0-9A-Z]{5}/.exec(server.camket("user", "invite", user))?.[0];
  if (!code) throw new Error("no invitation");
  return code;
}

/** What an inspection's form saves, without its screens. */
async function inspect(mine: Phone, hamlet: string, photos: readonly string[], ulid = ulidOf(77)) {
  const { session } = mine.field as unknown as { session: Session };
  const id = `inspection:${ulid}`;
  const fields = {
    subject: `model:${ulidOf(5)}`,
    date: "2026-03-02",
    answers: { checklist: "thu", version: 1, values: {} },
    photos: [...photos].sort().map((one) => ({ id: one, item: "tap" })) as unknown as Json,
  };
  const make = ({ stamp }: { stamp: string }) => ({
    body: edited(null, "inspection", { fields }, stamp, session.account.user.id),
    acts: [],
  });
  await save(session, [{ db: `hamlet-${hamlet}`, id, base: null, make }]);
}

const isPicture = ({ path }: Asked) => path.includes("_blob");

/** What the server gives out for the picture. */
async function back(mine: Phone, name = sha): Promise<Buffer> {
  const { session } = mine.field as unknown as { session: Session };
  const headers = { Authorization: `Bearer ${session.credential}` };
  const answer = await fetch(`${server.url}/db/media-napo/_blob/${name}`, { headers });
  assert.equal(answer.status, 200);
  return Buffer.from(await answer.arrayBuffer());
}

test("a photo is on the phone's disk, encrypted, before it is said to be; and opens after the app was killed", async () => {
  const mine = await enrolledHere(await ScriptedServer.start());
  assert.equal(await mine.field.addPhoto("na", picture()), sha);
  const db = await openAccount(mine.env, "dev1");
  const kept = Buffer.from((await db.get("pictures", [sha, "full"])) as Uint8Array);
  assert.ok(kept.length > webp.length);
  assert.ok(!kept.includes(Buffer.from(webp.subarray(100, 140))));
  const again = mine.again();
  await assert.rejects(again.field.photo(sha), { code: "locked" });
  await again.field.unlock(PIN);
  const url = (await again.field.photo(sha)) as string;
  const shown = await (await fetch(url)).arrayBuffer();
  assert.deepEqual(new Uint8Array(shown), webp);
  URL.revokeObjectURL(url);
  assert.equal(await again.field.photo("0".repeat(64)), null);
});

test("a full phone says so, keeps what it had, and takes the photo when there is room", async () => {
  const mine = await enrolledHere(await ScriptedServer.start());
  await mine.field.keepDraft("inspect", { bell: true });
  const { put } = IDBObjectStore.prototype;
  IDBObjectStore.prototype.put = function (this: IDBObjectStore, ...args: [unknown, IDBValidKey?]) {
    // The facts and the picture have been put by then: the transaction must take them back.
    if (this.name === "pictures" && String(args[1]).endsWith("thumb"))
      throw new DOMException("no", "QuotaExceededError");
    return put.apply(this, args);
  };
  await assert.rejects(mine.field.addPhoto("na", picture()), { code: "storage_full" });
  IDBObjectStore.prototype.put = put;
  assert.equal((await mine.field.photos()).waiting, 0);
  assert.equal(await mine.field.photo(sha), null);
  assert.deepEqual(await mine.field.draft("inspect"), { bell: true });
  await mine.field.addPhoto("na", picture());
  assert.equal((await mine.field.photos()).waiting, 1);
});

test("a phone that is full of photos sends them, and has room by that", async () => {
  const scripted = await ScriptedServer.start();
  const media: Serve = ({ method }) => json(method === "PUT" ? { offset: webp.length } : []);
  const mine = await pictured(media, scripted);
  scripted.put("hamlet-na", `inspection:${ulidOf(71)}`, { type: "inspection", v: 1 });
  const { session } = mine.field as unknown as { session: Session };
  const { put, add } = IDBObjectStore.prototype;
  const full = () => {
    throw new DOMException("no", "QuotaExceededError");
  };
  Object.assign(IDBObjectStore.prototype, { put: full, add: full });
  const { problem } = await mine.field.syncNow();
  Object.assign(IDBObjectStore.prototype, { put, add });
  assert.equal(problem, "storage_full");
  assert.deepEqual([await session.db.count("photos"), await session.db.count("pictures")], [0, 0]);
});

test("a photo waits for its inspection, goes after all text, and leaves its thumbnail", async () => {
  const mine = await joined();
  await mine.field.addPhoto("napo", picture());
  const asked: Asked[] = [];
  mine.serve = (one) => {
    asked.push(one);
    return server.link(one);
  };
  await mine.field.syncNow();
  assert.deepEqual(asked.filter(isPicture), [], "no inspection names it yet");
  const before = (await mine.field.syncState()).bytesThisMonth;
  await inspect(mine, "napo", [sha]);
  asked.length = 0;
  assert.equal((await mine.field.syncNow()).problem, null);
  const order = asked.map(({ method, path }) => `${method} ${path.split("/").slice(2, 4).join("/")}`);
  assert.deepEqual(order.slice(-2), ["POST media-napo/_bulk_docs", "PUT media-napo/_blob"]);
  assert.ok(order.slice(0, -2).every((one) => one === "POST _exchange"));
  assert.deepEqual(await back(mine), Buffer.from(webp));
  const { waiting, refused } = await mine.field.photos();
  assert.deepEqual({ waiting, refused }, { waiting: 0, refused: 0 });
  const { session } = mine.field as unknown as { session: Session };
  assert.equal(await session.db.get("pictures", [sha, "full"]), undefined);
  assert.ok(await mine.field.photo(sha), "the thumbnail");
  assert.ok((await mine.field.syncState()).bytesThisMonth - before > webp.length);
  asked.length = 0;
  await mine.field.syncNow();
  assert.equal(asked.length, 1, "nothing more to do");
  const known = await readAll(session, "hamlet-napo", "inspection:");
  assert.equal(known.size, 1);
});

test("a stripped JPEG is taken too, and a weak link that loses every other answer only delays it", async () => {
  const mine = await joined();
  mine.weak = true;
  const jpeg = plain(drawn("JPEG") as never);
  const name = await mine.field.addPhoto("napo", new Blob([jpeg], { type: "image/jpeg" }));
  await inspect(mine, "napo", [name], ulidOf(78));
  let count = 0;
  mine.serve = async (one) => {
    const answer = await server.link(one);
    if (isPicture(one) && count++ % 2 === 0) throw new TypeError("cut");
    return answer;
  };
  for (let syncs = 0; (await mine.field.photos()).waiting > 0; syncs++) {
    assert.ok(syncs < 40, "it gets on");
    await mine.field.syncNow();
  }
  assert.ok(count > jpeg.length / 24_000);
  assert.deepEqual(await back(mine, name), Buffer.from(jpeg));
});

test("a server that was killed in the middle of a photo gets the rest", async () => {
  const mine = await joined();
  mine.weak = true;
  const whole = drawn("WEBP", 2);
  const name = await mine.field.addPhoto("napo", new Blob([whole], { type: "image/webp" }));
  await inspect(mine, "napo", [name], ulidOf(79));
  const ranges: string[] = [];
  mine.serve = (one) => {
    if (one.method === "PUT" && ranges.push(one.headers["Content-Range"] ?? "") === 2)
      throw new TypeError("dead");
    return server.link(one);
  };
  assert.equal((await mine.field.syncNow()).problem, null, "all text is there");
  assert.equal((await mine.field.photos()).waiting, 1);
  await server.kill();
  await server.up();
  await mine.field.syncNow();
  assert.equal((await mine.field.photos()).waiting, 0);
  assert.deepEqual(await back(mine, name), Buffer.from(whole));
  assert.equal(ranges.filter((range) => range.startsWith("bytes 0-")).length, 1, "the first chunk went once");
});

test("a phone that was revoked hands its photos in too, and they wait for a person", async () => {
  const mine = await joined();
  mine.serve = null;
  mine.weak = true;
  const whole = drawn("WEBP", 9);
  const name = await mine.field.addPhoto("napo", new Blob([whole], { type: "image/webp" }));
  await inspect(mine, "napo", [name], ulidOf(90));
  server.camket("device", "revoke", (await mine.field.account())?.id ?? "");
  mine.metered = true;
  mine.serve = server.link;
  assert.equal((await mine.field.syncNow()).problem, "revoked");
  assert.equal(await mine.field.lifecycle(), "open", "away from Wi-Fi it waits, and says so");
  assert.deepEqual(
    [
      (await mine.field.photos()).waiting,
      (await mine.field.photos()).paused,
      (await mine.field.syncState()).held,
    ],
    [1, true, 1],
  );
  mine.metered = false;
  let chunks = 0;
  mine.serve = (one) => {
    if (one.method === "PUT" && ++chunks === 2) throw new TypeError("the link broke");
    return server.link(one);
  };
  await mine.field.syncNow();
  assert.equal(await mine.field.lifecycle(), "open");
  await mine.field.syncNow();
  assert.equal(await mine.field.lifecycle(), "new");

  const taken = drawn("WEBP", 10);
  const second = await handedInAfterItsHamlet(taken);
  const other = await joined();
  for (const one of [name, second])
    await assert.rejects(back(other, one), "nobody sees it before a person has looked");
  assert.match(server.camket("check"), /./);
  await server.office("quantri", { quarantine: "release" });
  assert.deepEqual(await back(other, name), Buffer.from(whole));
  assert.deepEqual(
    await back(other, second),
    Buffer.from(taken),
    "also of a hamlet that is not hers any more",
  );
});

test("a photo that was refused goes once more before a revoked phone forgets it, and holds it no longer", async () => {
  for (const [n, willing] of [
    [41, true],
    [42, false],
  ] as const) {
    const mine = await joined();
    const whole = drawn("WEBP", n);
    const name = await mine.field.addPhoto("napo", new Blob([whole], { type: "image/webp" }));
    await inspect(mine, "napo", [name], ulidOf(80 + n));
    mine.serve = (one) =>
      one.method === "PUT" ? Response.json({ error: "x", reason: "No." }, { status: 422 }) : server.link(one);
    await mine.field.syncNow();
    assert.equal((await mine.field.photos()).refused, 1);
    server.camket("device", "revoke", (await mine.field.account())?.id ?? "");
    if (willing) mine.serve = server.link;
    await mine.field.syncNow();
    assert.equal(await mine.field.lifecycle(), "new");
    await server.office("quantri", { quarantine: "release" });
    const there = back(await joined(), name);
    if (willing) assert.deepEqual(await there, Buffer.from(whole));
    else await assert.rejects(there);
  }
});

/** A phone whose person walks the hamlet no more is revoked, while a picture of it waits for Wi-Fi. */
async function handedInAfterItsHamlet(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const [, lan] = server.commune.users;
  const mine = await joined(lan);
  mine.metered = true;
  const name = await mine.field.addPhoto("napo", new Blob([bytes], { type: "image/webp" }));
  await inspect(mine, "napo", [name], ulidOf(91));
  await mine.field.syncNow();
  await server.take(lan);
  await mine.field.syncNow();
  server.camket("device", "revoke", (await mine.field.account())?.id ?? "");
  mine.metered = false;
  await mine.field.syncNow();
  assert.equal(await mine.field.lifecycle(), "new");
  return name;
}

test("a photo cut after every kilobyte goes on from there: no byte travels twice", async () => {
  const mine = await joined();
  const whole = drawn("WEBP", 3);
  const name = await mine.field.addPhoto("napo", new Blob([whole], { type: "image/webp" }));
  await inspect(mine, "napo", [name], ulidOf(80));
  const starts: number[] = [];
  let travelled = 0;
  mine.serve = async (one) => {
    if (one.method !== "PUT") return server.link(one);
    const [from = 0, to = 0] = (/\d+-\d+/.exec(one.headers["Content-Range"] ?? "")?.[0] ?? "")
      .split("-")
      .map(Number);
    starts.push(from);
    const last = Math.min(from + 1023, to);
    travelled += last + 1 - from;
    const headers = { ...one.headers, "Content-Range": `bytes ${from}-${last}/${whole.length}` };
    const raw = (one.raw as Uint8Array<ArrayBuffer>).slice(0, last + 1 - from);
    const answer = await server.link({ ...one, headers, raw });
    if (last < to) throw new TypeError("cut");
    return answer;
  };
  const kilobytes = Math.ceil(whole.length / 1024);
  for (let syncs = 0; (await mine.field.photos()).waiting > 0; syncs++) {
    assert.ok(syncs <= kilobytes, `it gets on by a kilobyte each time: ${starts}`);
    await mine.field.syncNow();
  }
  assert.deepEqual(
    starts,
    Array.from({ length: kilobytes }, (_, i) => i * 1024),
  );
  assert.equal(travelled, whole.length);
  assert.deepEqual(await back(mine, name), Buffer.from(whole));
});

test("a colleague's photo is fetched when asked for, and is here then without a link", async () => {
  const mine = await joined();
  const other = await joined();
  const name = await mine.field.addPhoto("napo", new Blob([drawn("WEBP", 4)], { type: "image/webp" }));
  await assert.rejects(other.field.fetchPhoto("napo", name), { code: "missing" });
  await inspect(mine, "napo", [name], ulidOf(81));
  await mine.field.syncNow();
  assert.equal(await other.field.photo(name), null);
  const url = await other.field.fetchPhoto("napo", name);
  assert.equal((await (await fetch(url)).blob()).type, "image/webp");
  other.serve = () => {
    throw new TypeError("no signal");
  };
  assert.ok(await other.field.photo(name), "kept");
  await assert.rejects(other.field.fetchPhoto("napo", "0".repeat(64)), { code: "offline" });
  assert.deepEqual((await other.field.photos()).waiting, 0, "a colleague's picture is not sent again");
});

/** What the phone holds of photographs. */
async function held(mine: Phone): Promise<unknown> {
  const { db } = (mine.field as unknown as { session: Session }).session;
  const { refused, erased } = await mine.field.photos();
  return { photos: await db.count("photos"), pictures: await db.count("pictures"), refused, erased };
}

const NONE = { photos: 0, pictures: 0, refused: 0 };

test("a photo that the office erased goes from every phone, and whose it was is told for a week", async () => {
  const [mine, other] = [await joined(), await joined()];
  const name = await mine.field.addPhoto("napo", new Blob([drawn("WEBP", 6)], { type: "image/webp" }));
  await inspect(mine, "napo", [name], ulidOf(86));
  await mine.field.syncNow();
  await other.field.syncNow();
  await other.field.fetchPhoto("napo", name);
  await server.office("quantri", { erase_photo: `napo/${name}` });
  for (const who of [mine, other]) {
    await who.field.syncNow();
    const { session } = who.field as unknown as { session: Session };
    who.clock.now += 86_400_000; // after the exchange, which would set the clock right
    assert.equal(await uploads(session, false), null);
  }
  assert.deepEqual(
    [await held(mine), await held(other)],
    [
      { ...NONE, erased: 1 },
      { ...NONE, erased: 0 },
    ],
  );
  mine.clock.now += 8 * 86_400_000;
  assert.deepEqual(await held(mine), { ...NONE, erased: 0 });
});

test("a photo that was erased before it was sent goes whole, with a word, and is not sent again", async () => {
  let asked = 0;
  const mine = await pictured(() => {
    asked += 1;
    return json([{ id: `photo:${sha}`, error: "forbidden", is: "erased", reason: "Đã xóa." }], 201);
  });
  assert.equal((await mine.field.syncNow()).problem, null);
  assert.deepEqual(await held(mine), { ...NONE, erased: 1 });
  await mine.field.syncNow();
  assert.equal(asked, 1);
});

test("a thumbnail goes where the picture is nowhere, and stays where it has moved; asked daily", async () => {
  let deleted = false;
  let there = 200;
  const feeds: string[] = [];
  const mine = await pictured(({ path, method }) => {
    if (method === "HEAD") return new Response(null, { status: there, headers: { "Upload-Offset": "0" } });
    if (method !== "GET") return method === "POST" ? json([]) : json({ offset: webp.length });
    feeds.push(new URL(path, "http://x").searchParams.get("since") ?? "");
    const row = { id: `photo:${sha}`, ...(deleted ? { deleted } : {}) };
    return json({ results: [row], last_seq: `${feeds.length}` });
  });
  await mine.field.syncNow();
  const { session } = mine.field as unknown as { session: Session };
  const thumbs = () => session.db.count("pictures");
  const asks = async (days: number) => {
    mine.clock.now += days * 86_400_000;
    assert.equal(await uploads(session, false), null);
    return [feeds.length, await thumbs()];
  };
  assert.deepEqual(await asks(1), [1, 1]);
  deleted = true;
  assert.deepEqual(await asks(0), [1, 1], "asked this day");
  assert.deepEqual(await asks(1), [2, 1], "it has moved");
  there = 403;
  assert.deepEqual(await asks(1), [3, 1], "to a hamlet of others");
  there = 404;
  assert.deepEqual(await asks(1), [4, 0]);
  assert.deepEqual(feeds, ["0", "1", "2", "3"]);
});

test("of what the server has a phone keeps the last few hundred; what waits is never among the forgotten", async () => {
  const mine = await pictured(() => json({ error: "x" }, 500));
  const { session } = mine.field as unknown as { session: Session };
  const waiting = await session.db.get("photos", sha);
  for (let n = 0; n < KEPT + 20; n++) {
    const sha256 = String(n).padStart(64, "0");
    await session.db.put("photos", { ...waiting, sha256, taken: NOON + n, state: "received" } as Photo);
    await session.db.put("pictures", new Uint8Array(8), [sha256, "thumb"]);
  }
  await mine.field.syncNow();
  assert.equal(await session.db.count("photos"), KEPT + 1);
  assert.equal(await session.db.count("pictures"), KEPT + 2);
  assert.ok(await session.db.get("photos", sha));
  assert.equal(await session.db.get("photos", "0".repeat(64)), undefined, "the oldest went");
});

/** A scripted server that holds an inspection naming the picture; `pictures` answers what is asked of the media. */
async function pictured(pictures: Serve, given?: ScriptedServer): Promise<Phone> {
  const scripted = given ?? (await ScriptedServer.start());
  const mine = await enrolledHere(scripted);
  await mine.field.addPhoto("na", picture());
  scripted.put("hamlet-na", `inspection:${ulidOf(70)}`, {
    ...{ type: "inspection", v: 1, by: "u1", stamps: { "*": `${NOON}-0000-dev1` } },
    photos: [{ id: sha, item: "tap" }],
  });
  mine.metered = true; // the text comes, the picture waits
  await mine.field.syncNow();
  mine.metered = false;
  mine.serve = (one) => (one.path.includes("media-na") ? pictures(one) : scripted.serve(one));
  return mine;
}

test("a photo of a half-filled form outlives months and a clock that was put right; of one given up it goes", async () => {
  const mine = await enrolledHere(await ScriptedServer.start());
  const { session } = mine.field as unknown as { session: Session };
  mine.clock.now = Date.parse("2000-01-01T00:00:00Z"); // an empty battery
  await mine.field.addPhoto("na", picture());
  const there = async () => (await mine.field.photo(sha)) !== null;
  mine.clock.now = NOON;
  await uploads(session, false);
  assert.ok(await there(), "its form is open, and its draft is not written yet");
  const months = async () => {
    for (let day = 0; day < 60; day++) {
      mine.clock.now += 86_400_000;
      await uploads(session, false);
    }
  };
  await mine.field.keepDraft("inspect/na", { photos: { tap: [sha] } });
  await months();
  assert.ok(await there());
  await mine.field.keepDraft("inspect/na", null);
  await months();
  assert.ok(!(await there()));
});

test("away from Wi-Fi photos wait, until the volunteer allows mobile data", async () => {
  const asked: Asked[] = [];
  const mine = await pictured((one) => {
    asked.push(one);
    return one.method === "POST" ? json([]) : json({ offset: webp.length, complete: true });
  });
  mine.metered = true;
  await mine.field.syncNow();
  assert.equal(asked.length, 0);
  assert.deepEqual(
    { ...(await mine.field.photos()), waitingBytes: 0 },
    { waiting: 1, waitingBytes: 0, refused: 0, reasons: [], erased: 0, mobileData: false, paused: true },
  );
  await mine.field.allowMobileData(true);
  assert.equal((await mine.field.photos()).paused, false);
  await mine.field.syncNow();
  assert.equal(asked.length, 2);
  assert.equal((await mine.field.photos()).waiting, 0);
});

test("a photo that the server will not have says why, and goes again when the volunteer syncs", async () => {
  let good = false;
  const mine = await pictured((one) => {
    if (one.method === "POST") return json([]);
    if (one.method === "HEAD") return new Response(null, { headers: { "Upload-Offset": "0" } });
    if (good) return json({ offset: webp.length, complete: true });
    return json({ error: "wrong_size", reason: "Ảnh quá lớn." }, 422);
  });
  assert.equal((await mine.field.syncNow()).problem, null);
  const { waiting, refused, reasons } = await mine.field.photos();
  assert.deepEqual([waiting, refused, reasons], [0, 1, ["Ảnh quá lớn."]]);
  good = true;
  await mine.field.syncNow();
  assert.equal((await mine.field.photos()).refused, 0);
});

test("a photo that is refused stops no other, says why, and goes when its bytes are wanted all the same", async () => {
  const other = drawn("WEBP", 1);
  const second = createHash("sha256").update(other).digest("hex");
  let wanted = false;
  const mine = await pictured((one) => {
    const first = `${one.path} ${one.body}`.includes(sha);
    if (one.method === "POST")
      return json(first ? [{ id: `photo:${sha}`, error: "forbidden", reason: "Ảnh này đã có." }] : [], 201);
    if (first && !wanted) return json({ error: "bad_request", reason: "Content-Range" }, 400);
    if (one.method === "HEAD") return new Response(null, { headers: { "Upload-Offset": "0" } });
    return json({ offset: first ? webp.length : other.length, complete: true });
  });
  mine.clock.now += 1000;
  assert.equal(await mine.field.addPhoto("na", new Blob([other], { type: "image/webp" })), second);
  await inspect(mine, "na", [second]);
  assert.equal((await mine.field.syncNow()).problem, null);
  const { waiting, refused, reasons } = await mine.field.photos();
  assert.deepEqual([waiting, refused, reasons], [0, 1, ["Ảnh này đã có."]]);
  wanted = true;
  await mine.field.syncNow();
  assert.deepEqual((await mine.field.photos()).refused, 0);
});

test("a photo that waits for a person is named once, and its bytes go", async () => {
  const documents: string[] = [];
  const mine = await pictured((one) => {
    if (one.method === "PUT") return json({ offset: webp.length, complete: true });
    documents.push(one.body);
    return json([{ id: `photo:${sha}`, error: "forbidden", is: "quarantined", reason: "Chờ cán bộ." }], 201);
  });
  await mine.field.syncNow();
  await mine.field.syncNow();
  const { waiting, refused } = await mine.field.photos();
  assert.deepEqual([waiting, refused, documents.length], [0, 0, 1]);
});

test("a server that lost the photo's document gets it again", async () => {
  let lost = false;
  const documents: string[] = [];
  const mine = await pictured((one) => {
    if (one.method === "POST") {
      documents.push(one.body);
      return json([]);
    }
    if (one.method === "PUT" && !lost) {
      lost = true;
      return json({ error: "not_found", reason: "" }, 404);
    }
    return json({ offset: webp.length, complete: true });
  });
  await mine.field.syncNow();
  assert.equal((await mine.field.photos()).waiting, 1);
  await mine.field.syncNow();
  assert.equal((await mine.field.photos()).waiting, 0);
  assert.equal(documents.length, 2);
  assert.equal(documents[0], documents[1], "written once, sent twice");
});

test("a busy server is no reason to lose or to refuse a photo", async () => {
  const mine = await pictured(() => json({ error: "insufficient_storage", reason: "" }, 507));
  await mine.field.syncNow();
  const { waiting, refused } = await mine.field.photos();
  assert.deepEqual([waiting, refused], [1, 0]);
});

test("the same picture in another form, in another hamlet or taken back is another one; in one form it is one", async () => {
  const mine = await enrolledHere(await ScriptedServer.start());
  const { session } = mine.field as unknown as { session: Session };
  const add = (hamlet: string, ...beside: string[]) => mine.field.addPhoto(hamlet, picture(), beside);
  const first = await add("na");
  assert.equal(await add("na"), first, "its form was ended before it named it");
  await mine.field.keepDraft("inspect/one", { photos: { tap: [first] } });
  assert.equal(await add("na", first), first, "chosen twice");
  const [second, third] = [await add("na"), await add("khac")];
  assert.deepEqual(
    [first, second, third].map((one) => one.length),
    [64, 64, 64],
  );
  assert.equal(new Set([first, second, third]).size, 3);
  await mine.field.dropPhoto(second);
  assert.ok(await mine.field.photo(first), "taken out of one form, it stays in the other");
  await inspect(mine, "na", [first]);
  await mine.field.keepDraft("inspect/one", null);
  const [known] = (await readAll(session, "hamlet-na", "inspection:")).values();
  const [base] = known?.own ?? [];
  assert.ok(known && base);
  const gone = [{ id: ulidOf(1), removes: first }];
  const make = ({ stamp }: { stamp: string }) => ({
    body: edited(base.body, "inspection", { photos: gone }, stamp, session.account.user.id),
    acts: [],
  });
  await save(session, [{ db: "hamlet-na", id: known.id, base, make }]);
  const again = await add("na");
  assert.notEqual(again, first, "taken back for good");
});

test("a picture taken out of a form is forgotten, one that an inspection shows is kept", async () => {
  const mine = await pictured(() => json({ error: "x" }, 500));
  await mine.field.dropPhoto(sha);
  assert.equal((await mine.field.photos()).waiting, 1);
  const other = new Blob([webp.slice(0, -1)], { type: "image/webp" });
  const dropped = await mine.field.addPhoto("na", other);
  await mine.field.dropPhoto(dropped);
  assert.equal(await mine.field.photo(dropped), null);
  assert.equal((await mine.field.photos()).waiting, 1);
});

test("a JPEG is stripped of what says more than its pixels, and stays the same picture", () => {
  const jpeg = drawn("JPEG");
  assert.ok(Buffer.from(jpeg).includes("Ba Vi"));
  const exif = new Uint8Array([0xff, 0xe1, 0, 10, 69, 120, 105, 102, 0, 0, 1, 2]);
  const told = new Uint8Array([...jpeg.subarray(0, 2), ...exif, ...jpeg.subarray(2)]);
  const kept = plain(told);
  assert.ok(!Buffer.from(kept).includes("Ba Vi"));
  assert.ok(!Buffer.from(kept).includes("Exif"));
  assert.deepEqual(kept, plain(jpeg));
  const pixels = (bytes: Uint8Array) =>
    execFileSync(
      PYTHON,
      [
        "-c",
        "import sys; from PIL import Image; sys.stdout.buffer.write(Image.open(sys.stdin.buffer).tobytes())",
      ],
      { input: bytes },
    );
  assert.deepEqual(pixels(kept), pixels(jpeg));
});

// The last one: it takes Nà Pò away.
test("a photo whose hamlet merged away before it was sent goes after its inspection", async () => {
  const late = drawn("WEBP", 11);
  const name = createHash("sha256").update(late).digest("hex");
  const mine = await joined();
  mine.metered = true; // text goes, pictures wait
  await mine.field.addPhoto("napo", new Blob([late], { type: "image/webp" }));
  await inspect(mine, "napo", [name], ulidOf(78));
  await mine.field.syncNow();
  server.camket("hamlet", "merge", "napo", "khuoilan", "--yes");
  await mine.field.syncNow();
  await mine.field.syncNow();
  assert.equal((await mine.field.photos()).waiting, 1);
  mine.metered = false;
  assert.equal((await mine.field.syncNow()).problem, null);
  assert.deepEqual([(await mine.field.photos()).waiting, (await mine.field.photos()).reasons], [0, []]);
  const { session } = mine.field as unknown as { session: Session };
  const headers = { Authorization: `Bearer ${session.credential}` };
  const answer = await fetch(`${server.url}/db/media-khuoilan/_blob/${name}`, { headers });
  assert.deepEqual(new Uint8Array(await answer.arrayBuffer()), late);
});
