/** Records that another phone carries to a real server, and the receipts that come back. */
import assert from "node:assert/strict";
import test from "node:test";
import { openAccount } from "../src/data/db.ts";
import type { Asked, Phone } from "./phone.ts";
import { synced, twoPhones } from "./real.ts";

const { server, mai, lan } = await twoPhones();

const household = (n: number): string => server.commune.households.napo[n - 1] ?? "";
const form = (who: Phone, n: number) => who.field.openForm("napo", household(n));
const view = (who: Phone, n: number) => who.field.household("napo", household(n));
const visit = async (who: Phone, n: number) => who.field.recordVisit(await form(who, n), "met");
const take = async (who: Phone, text: string) => (await who.field.courier()).take(text);
const receipts = async (who: Phone) => (await who.field.courier()).receipts();
const carrying = async (who: Phone) => (await (await who.field.courier()).state()).carrying;

/** What a phone without a signal gives away, once the person has handed it over. */
async function given(who: Phone): Promise<string> {
  const text = await who.field.bundle();
  await (await who.field.courier()).handedOver(text);
  return text;
}

/** A day without a signal for Mai; what she does in it, and then the link is back. */
async function offline<T>(work: () => Promise<T>): Promise<T> {
  mai.serve = null;
  return work().finally(() => {
    mai.serve = server.link;
  });
}

test("a colleague carries what is sealed, and the receipts say that it arrived", async () => {
  await offline(async () => {
    await visit(mai, 1);
    await visit(mai, 2);
    const bundle = await given(mai);
    const today = /^carried \d{4}-\d{2}-\d{2}$/;
    assert.match((await view(mai, 1)).where ?? "", today);
    assert.match((await view(mai, 1)).acts[0]?.where ?? "", today);
    const { waiting, carried } = await mai.field.syncState();
    assert.deepEqual([waiting, carried], [2, 2], "carried is not received");

    assert.deepEqual(await take(lan, bundle), { kind: "records", taken: 2, known: 0, bad: 0 });
    assert.equal(await carrying(lan), 2);
    assert.equal((await view(lan, 1)).outcome, "none", "who carries a record cannot read it");
    await synced(lan);
    assert.equal(await carrying(lan), 0);
    assert.equal((await view(mai, 1)).where?.startsWith("carried"), true, "she has not heard of it yet");

    assert.deepEqual(await take(mai, await receipts(lan)), {
      ...{ kind: "receipts", settled: 2, others: 0, forged: 0 },
    });
    assert.deepEqual([(await view(mai, 1)).where, (await view(mai, 2)).where], ["received", "received"]);
    assert.equal((await mai.field.syncState()).waiting, 0);
    await visit(mai, 1); // and she goes on upon it
  });
  await synced(mai, lan);
  const seen = await view(lan, 1);
  assert.deepEqual([seen.outcome, seen.acts.length, (await view(mai, 1)).where], ["met", 2, "received"]);
});

test("a record comes twice, by halves, late and out of order, and counts once", async () => {
  const bundle = await offline(async () => {
    await visit(mai, 3);
    await visit(mai, 4);
    return given(mai);
  });
  const [head = "", first = "", second = ""] = bundle.split("\n");
  const half = `${head}\n${first}\n${second.slice(0, 300)}`;
  assert.deepEqual(await take(lan, half), { kind: "records", taken: 1, known: 0, bad: 1 });
  assert.deepEqual(await take(lan, [head, second, first, second, ""].join("\r\n")), {
    ...{ kind: "records", taken: 1, known: 1, bad: 0 },
  });
  await synced(mai); // her own signal was first
  await synced(lan);
  assert.deepEqual(await take(lan, bundle), { kind: "records", taken: 0, known: 2, bad: 0 });
  assert.equal(await carrying(lan), 0, "what was answered is not sent again");
  const late = await take(mai, await receipts(lan));
  assert.deepEqual(late.kind === "receipts" && [late.settled, late.forged], [0, 0]);
  await synced(mai, lan);
  for (const who of [mai, lan]) assert.equal((await view(who, 3)).acts.length, 1);
});

test("a courier who never comes back changes nothing: the record stays until the server itself answers", async () => {
  await offline(async () => {
    await visit(mai, 5);
    await given(mai);
    assert.equal((await mai.field.syncNow()).problem, "offline");
    assert.match((await view(mai, 5)).where ?? "", /^carried/);
  });
  await synced(mai);
  assert.equal((await view(mai, 5)).where, "received");
});

test("nobody but the server can write a receipt", async () => {
  await offline(async () => {
    await visit(mai, 6);
    await visit(mai, 7);
    const before = await receipts(lan);
    assert.equal((await take(lan, await given(mai))).kind, "records");
    await synced(lan);
    const lines = (await receipts(lan)).split("\n").filter((line) => !before.includes(line));
    const mine = lines.map((line) => line.split(" "));
    assert.deepEqual(
      mine.map(([, is]) => is),
      ["received", "received"],
    );
    const [[sha256, is, proof] = [], [other] = []] = mine;
    const forged = [
      `${sha256} forbidden ${proof}`, // another outcome
      `${other} ${is} ${proof}`, // another record's
      `${sha256} ${is} ${"A".repeat(22)}`,
      `${sha256} ${is} ${proof} một câu khác`, // another reason
      `${sha256} ${is}`,
    ];
    const told = await take(mai, ["camket-receipts 1", ...forged, ""].join("\n"));
    assert.deepEqual(told, { kind: "receipts", settled: 0, others: 0, forged: 5 });
    for (const n of [6, 7]) assert.match((await view(mai, n)).where ?? "", /^carried/);
    assert.equal((await mai.field.syncState()).waiting, 2);
  });
  await synced(mai, lan);
});

test("what is no file of Camket's is refused, and no phone carries more than it has room for", async () => {
  for (const text of ["", "hello\n", "camket-bundle 2 key\n", "camket-bundle 1 \n"])
    await assert.rejects(take(lan, text), { code: "bad_bundle" });
  const line = (n: number) =>
    Buffer.concat([Buffer.from([1, n >> 8, n & 255]), Buffer.alloc(100_000)]).toString("base64url");
  const many = ["camket-bundle 1 otherkey", ...Array.from({ length: 30 }, (_, n) => line(n)), ""].join("\n");
  await assert.rejects(take(lan, many), { code: "carry_full" });
  assert.equal(await carrying(lan), 0, "all of it or nothing");
});

test("records of another commune do not stop this one's", async () => {
  const foreign = Buffer.concat([Buffer.from([1]), Buffer.alloc(200)]).toString("base64url");
  await take(lan, `camket-bundle 1 anotherkey\n${foreign}\n`);
  await offline(async () => {
    await visit(mai, 8);
    await take(lan, await given(mai));
  });
  await synced(lan);
  assert.equal(await carrying(lan), 0);
  await take(mai, await receipts(lan));
  assert.equal((await view(mai, 8)).where, "received");
});

test("what a receipt said, and the server lost again, goes up again", async () => {
  await synced(mai, lan);
  await server.keep();
  await offline(async () => {
    await visit(mai, 9);
    await take(lan, await given(mai));
  });
  await synced(lan);
  await take(mai, await receipts(lan));
  assert.equal((await view(mai, 9)).where, "received");
  await server.goBack();
  await synced(mai, lan);
  assert.equal((await view(lan, 9)).outcome, "met");
  assert.equal((await view(mai, 9)).where, "received");
  assert.deepEqual(await mai.field.problems(), []);
});

test("what left this phone goes up again to a server that lost it, though it was built upon here", async () => {
  await synced(mai, lan);
  await server.keep();
  const rename = async (n: number, name: string) => mai.field.editHousehold(await form(mai, n), { name });
  // Handed over; given out, and nobody came back to say so; sent, and the answer never came.
  const ways: [number, () => Promise<unknown>][] = [
    [7, async () => take(lan, await given(mai))],
    [8, async () => take(lan, await mai.field.bundle())],
    [9, () => mai.field.syncNow()],
  ];
  const cut = async (asked: Asked) => {
    await server.link(asked);
    throw new TypeError("cut");
  };
  await offline(async () => {
    for (const [n, leaves] of ways) {
      if (n === 9) mai.serve = cut;
      await rename(n, `Lò Văn Trước ${n}`);
      await leaves();
    }
  });
  await synced(lan);
  await server.goBack();
  await offline(async () => {
    for (const [n] of ways) await rename(n, `Lò Văn Sau ${n}`);
    assert.deepEqual([(await mai.field.syncState()).waiting, await mai.field.problems()], [3, []]);
  });
  const sent: string[] = [];
  mai.serve = (asked) => {
    sent.push(...(asked.body.match(/Lò Văn Trước \d/g) ?? []));
    return server.link(asked);
  };
  await synced(mai, mai, lan);
  assert.equal(new Set(sent).size, 3);
  for (const [n] of ways)
    for (const who of [mai, lan]) assert.equal((await view(who, n)).name, `Lò Văn Sau ${n}`);
});

test("a wrong clock moves what was built upon a record that left, and tells nothing twice", async () => {
  const hours = 3 * 3_600_000;
  for (const brought of [false, true]) {
    const before = (await view(mai, 2)).acts.length;
    await offline(async () => {
      mai.clock.now = Date.now() + (brought ? 0 : hours);
      await visit(mai, 2);
      const bundle = await given(mai);
      mai.clock.now = Date.now() + hours;
      await visit(mai, 2);
      if (brought) await take(lan, bundle);
    });
    await synced(lan, mai);
    mai.clock.now = Date.now();
    await synced(mai, lan);
    const { acts, where } = await view(lan, 2);
    assert.deepEqual([acts.length - before, where, await mai.field.problems()], [2, "received", []]);
    for (const { act } of acts.slice(-2)) assert.ok(Math.abs(Date.parse(act.at) - Date.now()) < hours / 3);
    const db = await openAccount(mai.env, (await mai.field.account())?.id ?? "");
    assert.deepEqual([await db.count("own"), await db.count("outbox")], [0, 0]);
    db.close();
  }
});

test("a record of a wrong clock that a courier may have brought is asked for before it is set right", async () => {
  const hours = 3 * 3_600_000;
  let late = "";
  // Written by a clock that ran ahead: held at the office. By one that went wrong only later: it enters as it is,
  // also where nobody came back to the phone to say that it was handed over.
  for (const [n, off, brought, said = true] of [
    [10, hours, "held"],
    [11, 0, "received"],
    [6, 0, "received", false],
    [12, hours, "nothing"],
  ] as const) {
    const before = (await view(mai, n)).acts.length;
    await offline(async () => {
      mai.clock.now = Date.now() + off;
      await visit(mai, n);
      const bundle = said ? await given(mai) : await mai.field.bundle();
      if (brought !== "nothing") await take(lan, bundle);
      late = bundle;
    });
    await synced(lan);
    mai.clock.now = Date.now() + hours;
    await synced(mai);
    const { where, acts } = await view(mai, n);
    assert.deepEqual(
      [where, acts.length - before],
      [brought === "held" ? "held" : "received", 1],
      `household ${n}`,
    );
    mai.clock.now = Date.now();
    await synced(mai);
    if (brought !== "nothing") continue;
    await take(lan, late); // and now the courier comes after all
    await synced(lan, mai);
    assert.deepEqual([(await view(mai, n)).where, (await view(lan, n)).acts.length], ["received", 1]);
  }
});

test("a stick goes straight to the office, and its receipts come back", async () => {
  await offline(async () => {
    await visit(mai, 1);
    await visit(mai, 2);
    const told = await server.handIn(await given(mai));
    assert.deepEqual(await take(mai, told), { kind: "receipts", settled: 2, others: 0, forged: 0 });
    assert.deepEqual([(await view(mai, 1)).where, (await view(mai, 2)).where], ["received", "received"]);
    assert.equal((await mai.field.syncState()).waiting, 0);

    mai.clock.now = Date.now() + 3 * 3_600_000;
    await visit(mai, 2);
    await take(mai, await server.handIn(await given(mai)));
    assert.equal((await view(mai, 2)).acts.at(-1)?.where, "held", "with the reason, which is in the proof");
    mai.clock.now = Date.now();
  });
  await synced(mai, lan);
  assert.equal((await view(lan, 1)).acts.length, (await view(mai, 1)).acts.length);
});
