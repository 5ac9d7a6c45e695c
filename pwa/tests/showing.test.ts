/** Records that one phone shows as QR codes and another one carries to a real server, and the receipts back. */
import assert from "node:assert/strict";
import test from "node:test";
import type { Signing } from "../src/data/contract.ts";
import type { Phone } from "./phone.ts";
import { synced, twoPhones } from "./real.ts";

const { server, mai, lan } = await twoPhones();

const household = (n: number): string => server.commune.households.napo[n - 1] ?? "";
const form = (who: Phone, n: number) => who.field.openForm("napo", household(n));
const view = (who: Phone, n: number) => who.field.household("napo", household(n));
const visit = async (who: Phone, n: number) => who.field.recordVisit(await form(who, n), "met");
const take = async (who: Phone, text: string) => (await who.field.courier()).take(text);
const carrying = async (who: Phone) => (await (await who.field.courier()).state()).carrying;

/** Without a signal for Mai. */
async function offline(work: () => Promise<void>): Promise<void> {
  mai.serve = null;
  return work().finally(() => {
    mai.serve = server.link;
  });
}

/** What another phone's camera makes of a run: the last code first, each one twice. */
async function seen(who: Phone, codes: readonly string[] = []): Promise<string> {
  const reader = (await who.field.courier()).reader();
  for (const code of [...codes, ...codes].reverse()) {
    const heard = await reader.hear(code);
    if (heard.kind === "whole") return heard.text;
    assert.equal(heard.kind, "part");
  }
  throw new Error("not whole");
}
const shown = async (who: Phone) => (await who.field.courier()).recordCodes();
const shownReceipts = async (who: Phone) => (await who.field.courier()).receiptCodes(0);
const signing = (n: number): Signing => ({
  ...{ signer: `Hoàng Văn ${n}`, role: "head", method: "touch", assisted: false, readAloud: true },
  strokes: [[100, 100 + n, 300, 420, 500, 90]],
});

test("codes on one screen are read by the other phone, and the receipts come back so", async () => {
  await synced(mai, lan);
  await offline(async () => {
    for (let n = 1; n <= 12; n++) await mai.field.recordSigned(await form(mai, n), signing(n));
    const run = await shown(mai);
    assert.deepEqual([run?.count, run?.left, run?.strokes, run?.large], [12, 0, 12, 0]);
    assert.ok((run?.codes.length ?? 0) <= 4, `${run?.codes.length} codes for 12 pledges`);
    assert.equal((await mai.field.syncState()).carried, 0, "nobody has said that they were read");
    await (await mai.field.courier()).handedOver(run?.given ?? "");
    assert.match((await view(mai, 1)).where ?? "", /^carried/);

    const text = await seen(lan, run?.codes);
    assert.deepEqual(await take(lan, text), { kind: "records", taken: 12, known: 0, bad: 0 });
    assert.deepEqual(await take(lan, text), { kind: "records", taken: 0, known: 12, bad: 0 });
    assert.equal(await carrying(lan), 12);
    await synced(lan);
    assert.equal(await carrying(lan), 0);
    assert.deepEqual(await take(lan, text), { kind: "records", taken: 0, known: 12, bad: 0 });

    const back = await shownReceipts(lan);
    assert.ok((back?.count ?? 0) >= 12);
    const told = await take(mai, await seen(mai, back?.codes));
    assert.deepEqual(told.kind === "receipts" && [told.settled, told.forged], [12, 0]);
    for (const n of [1, 12]) assert.equal((await view(mai, n)).where, "received");
    assert.equal(await shown(mai), null, "strokes alone do not go by code");
    assert.equal((await mai.field.syncState()).waiting, 12, "the strokes wait");
  });
  await synced(mai, lan);
  assert.equal((await mai.field.syncState()).waiting, 0);
  assert.equal((await view(lan, 12)).outcome, "signed");
});

test("a run that is shown again, a file beside it, and a save after it: each revision is settled once", async () => {
  await offline(async () => {
    await visit(mai, 1);
    await visit(mai, 2);
    const [first, again] = [await shown(mai), await shown(mai)];
    assert.notDeepEqual(first?.codes, again?.codes, "another seal each time");
    for (const run of [first, again])
      assert.deepEqual(await take(lan, await seen(lan, run?.codes)), {
        ...{ kind: "records", taken: 2, known: 0, bad: 0 },
      });
    await take(lan, await mai.field.bundle());
    assert.equal(await carrying(lan), 6, "the courier cannot know that they are the same");
    await visit(mai, 2);
    await synced(lan);
    const told = await take(mai, await seen(mai, (await shownReceipts(lan))?.codes));
    assert.deepEqual(told.kind === "receipts" && [told.settled, told.forged], [2, 0]);
    assert.equal((await view(mai, 1)).where, "received");
    assert.equal((await view(mai, 2)).where, "phone", "what was saved since was not in it");
    assert.equal((await mai.field.syncState()).waiting, 1);
  });
  await synced(mai, lan);
  assert.deepEqual(
    (await view(lan, 2)).acts,
    (await view(mai, 2)).acts.map((act) => ({ ...act, canVoid: false })),
  );
});

test("what was handed over makes way for what was not", async () => {
  await offline(async () => {
    for (let n = 1; n <= 12; n++) await visit(mai, n);
    for (let n = 1; n <= 12; n++) {
      const one = await form(mai, n);
      await mai.field.editHousehold(one, { name: `Hoàng Văn Mới ${n}` });
    }
    const first = await shown(mai);
    assert.deepEqual([first?.count, first?.left], [20, 4]);
    await (await mai.field.courier()).handedOver(first?.given ?? "");
    const second = await shown(mai);
    assert.deepEqual([second?.count, second?.left], [4, 0]);
    await (await mai.field.courier()).handedOver(second?.given ?? "");
    assert.equal((await mai.field.syncState()).carried, 24);
    const again = await shown(mai);
    assert.deepEqual([again?.count, again?.left], [20, 0], "whoever lost the first courier shows them again");
    for (const run of [first, second]) await take(lan, await seen(lan, run?.codes));
    await synced(lan);
    const told = await take(mai, await seen(mai, (await shownReceipts(lan))?.codes));
    assert.equal(told.kind === "receipts" && told.settled, 24);
    assert.equal((await mai.field.syncState()).waiting, 0);
  });
  await synced(mai, lan);
});

test("a receipt in a code is believed no more than one in a file", async () => {
  const receipts = async () => (await seen(mai, (await shownReceipts(lan))?.codes)).split("\n");
  await offline(async () => {
    const before = await receipts();
    await visit(mai, 3);
    await take(lan, await seen(lan, (await shown(mai))?.codes));
    await synced(lan);
    const [mine = "", ...others] = (await receipts()).filter((line) => !before.includes(line));
    assert.deepEqual(others, []);
    for (const forged of [mine.replace(" received ", " erased "), `${mine} một câu khác`])
      assert.deepEqual(await take(mai, `camket-receipts 1\n${forged}\n`), {
        ...{ kind: "receipts", settled: 0, others: 0, forged: 1 },
      });
    assert.equal((await view(mai, 3)).where, "phone");
  });
  await synced(mai, lan);
});
