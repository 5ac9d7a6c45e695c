/** Models, inspections, units, outreach, bulletins and reviews: phones and a real server process, over HTTP. */
import assert from "node:assert/strict";
import test, { after, before } from "node:test";
import type { Answers, Item } from "../src/core/checklist.ts";
import { resumed } from "../src/core/resumed.ts";
import { readOne } from "../src/data/records.ts";
import type { Inspected, InspectionForm } from "../src/data/registers/contract.ts";
import { inspected as changesOf } from "../src/data/registers/writes.ts";
import type { Phone } from "./phone.ts";
import { RealServer, synced } from "./real.ts";

const MODEL = "01J8ZQ4T6N3VXK2M5R7W9Y2001";
const SUBJECT = `model:${MODEL}`;
const BULLETIN = "01J8ZQ4T6N3VXK2M5R7W9Y2002";
const ITEMS = [
  { id: "bell", kind: "yes_no", label: "Chuông kêu", source: "thử", required: true },
  { id: "homes", kind: "number", label: "Số nhà", source: "thử", unit: "nhà", min: 1, max: 20 },
  { id: "fault", kind: "text", label: "Hỏng gì", source: "thử", when: { item: "bell", equals: false } },
];
const version = (items: readonly unknown[]) => ({
  ...{ title: "Tổ liên gia", model: "to_lien_gia", source: "thử" },
  sections: [{ id: "one", title: "Một", items }],
});

let server: RealServer;
let mai: Phone;
let lan: Phone;

before(async () => {
  server = await RealServer.start();
  await server.office("quantri", {
    write: {
      commune: {
        "checklist:to-lien-gia:1": version(ITEMS),
        [SUBJECT]: {
          ...{ kind: "to_lien_gia", name: "Tổ số 1", hamlets: ["napo"], points: 1, groups: 1 },
          state: { is: "active", since: "2026-01-01" },
        },
        "model:01J8ZQ4T6N3VXK2M5R7W9Y2009": {
          ...{ kind: "other", name: "Ở thôn khác", hamlets: ["khuoilan"], points: 1, groups: 1 },
          state: { is: "active", since: "2026-01-01" },
        },
        [`bulletin:${BULLETIN}`]: {
          ...{ title: "Ra quân", text: "7 giờ", from: "2026-03-01", until: "2026-03-31", hamlets: ["napo"] },
        },
        "bulletin:01J8ZQ4T6N3VXK2M5R7W9Y2003": {
          ...{ title: "Thôn khác", text: "8 giờ", from: "2026-03-01", until: "2026-03-31" },
          hamlets: ["khuoilan"],
        },
      },
    },
  });
  mai = await server.enrolled(server.commune.codes[0]);
  lan = await server.enrolled(server.commune.codes[1]);
});
after(() => server.end());

const registers = (who: Phone) => who.field.registers();

function found(values: Answers, more: Partial<Inspected> = {}): Inspected {
  return { date: "2026-03-02", values, photos: {}, findings: "", followUp: null, ...more };
}

async function inspected(
  who: Phone,
  values: Answers,
  more: Partial<Inspected> = {},
): Promise<InspectionForm> {
  const form = await (await registers(who)).newInspection("napo", SUBJECT, { slug: "to-lien-gia" });
  await (await registers(who)).saveInspection(form, found(values, more));
  return form;
}

async function reviewed(of: string, is: "approved" | "returned", comment = ""): Promise<void> {
  await server.office("quantri", { review: [{ of, is, comment }] });
}

test("a phone has the models of its hamlets and nobody else's", async () => {
  const models = await (await registers(mai)).models("napo");
  assert.deepEqual(
    models.map(({ name, state, inspections }) => [name, state, inspections.length]),
    [["Tổ số 1", "active", 0]],
  );
  const { checklists } = await (await registers(mai)).model("napo", MODEL);
  assert.deepEqual(
    checklists.map(({ slug, version }) => [slug, version]),
    [["to-lien-gia", 1]],
  );
});

test("what is missing or does not belong is refused on the phone, and nothing is saved", async () => {
  const form = await (await registers(mai)).newInspection("napo", SUBJECT, { slug: "to-lien-gia" });
  const save = async (values: Answers) => (await registers(mai)).saveInspection(form, found(values));
  await assert.rejects(save({}), { code: "invalid", detail: "Chuông kêu" });
  await assert.rejects(save({ bell: true, homes: 21 }), { code: "invalid", detail: "Số nhà" });
  assert.equal((await (await registers(mai)).model("napo", MODEL)).inspections.length, 0);
});

test("a photo that was taken back is not saved as if it were shown", () => {
  const [first, second] = ["a".repeat(64), "b".repeat(64)];
  const item: Item = { id: "tap", kind: "photo", label: "Ảnh chuông", source: "thử", max: 3 };
  const sections = [{ id: "one", title: "Một", items: [item] }];
  const checklist = { slug: "thu", version: 1, title: "Bản thử", sections };
  const photos = [
    { id: MODEL, removes: first },
    { id: first, item: "tap" },
    { id: second, item: "tap" },
  ];
  const base = { rev: "1-a", revs: ["a"], depth: 0, body: { photos } };
  const save = (...tap: string[]) =>
    changesOf(checklist, base, found({}, { photos: { tap } }), () => BULLETIN);
  assert.deepEqual(save(second).photos, []);
  assert.throws(() => save(second, first), { code: "invalid", detail: "Ảnh chuông" });
});

test("an inspection made offline by an old version keeps it, returned, corrected and approved", async () => {
  const form = await inspected(mai, { bell: false, fault: "Chuông", homes: 7 });
  const id = `inspection:${form.id}`;
  const look = async () => (await registers(mai)).inspection("napo", form.id);
  assert.deepEqual([(await look()).where, (await look()).checklist?.version], ["phone", 1]);
  const second = version([...ITEMS, { ...ITEMS[0], id: "door", label: "Lối thoát thứ hai" }]);
  await server.office("quantri", { write: { commune: { "checklist:to-lien-gia:2": second } } });
  await synced(mai);
  assert.deepEqual([(await look()).where, (await look()).checklist?.version], ["received", 1]);
  const { checklist } = await (await registers(mai)).newInspection("napo", SUBJECT, { slug: "to-lien-gia" });
  assert.equal(checklist.version, 2);

  await reviewed(id, "returned", "Hỏng ở nhà nào?");
  await synced(mai);
  assert.deepEqual((await look()).review, {
    ...{ of: id, state: "returned", comment: "Hỏng ở nhà nào?" },
  });
  assert.deepEqual(await (await registers(mai)).returned(), [
    { hamlet: "napo", kind: "inspection", id: form.id, name: "Tổ số 1", comment: "Hỏng ở nhà nào?" },
  ]);
  const again = await (await registers(mai)).openInspection("napo", form.id);
  assert.equal(again.checklist.version, 1);
  const corrected = found({ bell: false, fault: "Chuông ở nhà số 3", homes: 7 });
  await (await registers(mai)).saveInspection(again, corrected);
  assert.deepEqual([(await look()).where, await (await registers(mai)).returned()], ["phone", []]);
  await synced(mai);
  assert.equal((await look()).where, "corrected");

  await reviewed(id, "approved");
  await synced(mai, lan);
  assert.equal((await look()).where, "approved");
  const seen = await (await registers(lan)).inspection("napo", form.id);
  assert.deepEqual(
    [seen.where, seen.mine, seen.answers],
    ["approved", false, { bell: false, fault: "Chuông ở nhà số 3", homes: 7 }],
  );
});

test("an answer to an item that no longer applies does not travel", async () => {
  const form = await inspected(mai, { bell: true, door: true, fault: "cũ" });
  const { answers } = await (await registers(mai)).inspection("napo", form.id);
  assert.deepEqual(answers, { bell: true, door: true });
});

test("what was found the last time stands beside the new form, whoever found it", async () => {
  await inspected(mai, { bell: true, door: true, homes: 9 }, { date: "2026-03-05" });
  await synced(mai, lan);
  const form = await (await registers(lan)).newInspection("napo", SUBJECT, { slug: "to-lien-gia" });
  assert.deepEqual(form.previous, { date: "2026-03-05", answers: { bell: true, door: true, homes: 9 } });
});

test("what is to be done stays on the model until it is done", async () => {
  const followUp = { what: "Thay chuông", due: "2026-04-01" };
  const form = await inspected(mai, { bell: true, door: false }, { date: "2026-03-06", followUp });
  const todo = async () => (await (await registers(mai)).model("napo", MODEL)).todo;
  assert.deepEqual(await todo(), { ...followUp, inspection: form.id });
  await (await registers(mai)).followedUp("napo", form.id, "2026-03-20");
  assert.equal(await todo(), null);
});

/** The values among which staff are to choose the answers of an inspection, beside those that stand. */
async function undecided(who: Phone, id: string): Promise<readonly unknown[]> {
  const { session } = who.field as unknown as { session: Parameters<typeof readOne>[0] };
  const held = (await readOne(session, "hamlet-napo", `inspection:${id}`))?.winner?.body;
  return (held?.asks as { answers?: { others?: unknown[] } } | undefined)?.answers?.others ?? [];
}

test("a correction that goes on after the app was ended asks staff where both answered one question, and only there", async () => {
  for (const [name, theirs, asked] of [
    ["the same question", { bell: true, door: true, homes: 4 }, 1],
    ["another question", { bell: true, door: false, homes: 2 }, 0],
  ] as const) {
    const date = "2026-03-06";
    const form = await inspected(mai, { bell: true, door: true, homes: 2 }, { date });
    await synced(mai, lan);
    const { base } = await (await registers(mai)).openInspection("napo", form.id);
    // She wrote 3; Android ended the app, and kept what was JSON.
    const typed = { bell: true, door: true, homes: 3 };
    const kept = JSON.parse(JSON.stringify({ base, values: typed })) as { base: unknown; values: Answers };
    const hers = await (await registers(lan)).openInspection("napo", form.id);
    await (await registers(lan)).saveInspection(hers, found(theirs, { date }));
    await synced(lan, mai);
    mai.clock.now += 1000; // she saves after that
    const opened = await (await registers(mai)).openInspection("napo", form.id, kept);
    const now = opened.shown?.answers ?? {};
    const laid = resumed({ bell: true, door: true, homes: 2 }, typed, now) as Answers;
    await (await registers(mai)).saveInspection(opened, found(laid, { date }));
    await synced(mai, lan);
    const { answers } = await (await registers(lan)).inspection("napo", form.id);
    assert.deepEqual({ ...answers }, { ...theirs, homes: 3 }, name);
    assert.equal((await undecided(lan, form.id)).length, asked, name);
  }
});

test("two answers given side by side are a question for staff; none is lost", async () => {
  const form = await inspected(mai, { bell: true, door: true }, { date: "2026-03-07" });
  await synced(mai, lan);
  for (const [who, homes] of [
    [mai, 3],
    [lan, 4],
  ] as const) {
    const opened = await (await registers(who)).openInspection("napo", form.id);
    const what = found({ bell: true, door: true, homes }, { date: "2026-03-07" });
    await (await registers(who)).saveInspection(opened, what);
  }
  await synced(mai, lan, mai);
  assert.equal((await undecided(mai, form.id)).length, 1);
});

test("answers corrected twice by a clock that runs ahead hide nothing that comes later", async () => {
  const form = await inspected(mai, { bell: true, door: true }, { date: "2026-03-08" });
  await synced(mai);
  mai.clock.now = Date.now() + 7_200_000;
  for (const homes of [5, 6]) {
    const opened = await (await registers(mai)).openInspection("napo", form.id);
    await (await registers(mai)).saveInspection(
      opened,
      found({ bell: true, door: true, homes }, { date: "2026-03-08" }),
    );
  }
  await synced(mai);
  mai.clock.now = Date.now();
  await synced(mai, lan);
  const { answers } = await (await registers(lan)).inspection("napo", form.id);
  assert.equal(answers.homes, 6);
  const session = (mai.field as unknown as { session: Parameters<typeof readOne>[0] }).session;
  const held = (await readOne(session, "hamlet-napo", `inspection:${form.id}`))?.winner?.body;
  const seen = (held?.asks as { answers?: { seen?: string[] } } | undefined)?.answers?.seen ?? [];
  assert.ok(seen.length > 0);
  const latest = Math.max(...seen.map((stamp) => Number(stamp.slice(0, 13))));
  assert.ok(latest < Date.now() + 300_000, String(latest - Date.now()));
});

test("a unit is added, its representative signs with a title, and takes a mistake back", async () => {
  const facts = { name: "Trường Nà Pò", kind: "school", inScope: true, place: { lane: "Xóm trên" } } as const;
  const id = await (await registers(mai)).addUnit("napo", facts);
  const sign = async () =>
    (await registers(mai)).signUnit(await (await registers(mai)).openUnit("napo", id), {
      ...{ signer: "Nông Thị Hà", role: "representative", title: "Hiệu trưởng", method: "paper_signed" },
      ...{ assisted: false, readAloud: true },
    });
  await sign();
  await synced(mai, lan);
  const seen = await (await registers(lan)).unit("napo", id);
  const [act] = seen.acts;
  assert.deepEqual(
    [seen.name, seen.outcome, seen.where, act?.act.kind === "signed" && act.act.title],
    ["Trường Nà Pò", "signed", "received", "Hiệu trưởng"],
  );
  const form = await (await registers(mai)).openUnit("napo", id);
  await (await registers(mai)).voidUnitAct(form, form.shown.acts[0]?.act.id ?? "");
  await (await registers(mai)).editUnit(await (await registers(mai)).openUnit("napo", id), { place: {} });
  await synced(mai, lan);
  const later = await (await registers(lan)).unit("napo", id);
  assert.deepEqual([later.outcome, later.place, later.where], ["none", {}, "received"]);
});

test("an outreach is added, returned and corrected", async () => {
  const facts = {
    kind: "launch",
    date: "2026-03-02",
    place: "Sân kho",
    present: 40,
    topics: ["pccc"],
    note: "",
  } as const;
  await (await registers(mai)).addOutreach("napo", facts);
  await synced(mai);
  const [row] = await (await registers(mai)).outreach("napo");
  assert.deepEqual([row?.place, row?.present, row?.where], ["Sân kho", 40, "received"]);
  await reviewed(`outreach:${row?.id}`, "returned", "Kiểm tra lại số người dự.");
  await synced(mai);
  const form = await (await registers(mai)).openOutreach("napo", row?.id ?? "");
  assert.deepEqual(form.shown.review, {
    ...{ of: `outreach:${row?.id}`, state: "returned", comment: "Kiểm tra lại số người dự." },
  });
  await (await registers(mai)).editOutreach(form, { ...facts, present: 54 });
  await synced(mai);
  const [corrected] = await (await registers(mai)).outreach("napo");
  assert.deepEqual([corrected?.present, corrected?.where], [54, "corrected"]);
});

test("a returned household is said in the list, and by a correction no more", async () => {
  const id = server.commune.households.napo[0] ?? "";
  await mai.field.editHousehold(await mai.field.openForm("napo", id), { name: "Hoàng Văn Mốt" });
  await synced(mai);
  await reviewed(`household:${id}`, "returned", "Xem lại tên");
  await synced(mai);
  const row = async () => (await mai.field.households("napo")).find((one) => one.id === id);
  assert.equal((await row())?.where, "returned");
  assert.equal((await mai.field.household("napo", id)).review?.comment, "Xem lại tên");
  await mai.field.editHousehold(await mai.field.openForm("napo", id), { name: "Hoàng Văn Một" });
  assert.equal((await row())?.where, "phone");
  await synced(mai);
  assert.equal((await mai.field.household("napo", id)).where, "corrected");
});

test("a returned pledge is corrected in one write: the entry is taken back, the right one stands for it", async () => {
  const id = server.commune.households.napo[1] ?? "";
  const pledge = `pledge:${server.commune.campaign}:${id}`;
  const signed = { signer: "Hoàng Văn Một", role: "head", method: "paper_signed" } as const;
  await mai.field.meeting("napo", {
    ...{ date: "2026-03-01", sheet: 3, readAloud: true },
    households: [{ id, ...signed }],
  });
  await synced(mai);
  await reviewed(pledge, "returned", "Số tờ chưa khớp");
  await synced(mai, lan);
  const open = async (who: Phone) => (await registers(who)).openAmend("napo", "household", id);
  assert.equal((await open(lan)).act, null, "only who wrote it may take it back");
  const form = await open(mai);
  assert.deepEqual(form.review, { of: pledge, state: "returned", comment: "Số tờ chưa khớp" });
  const meeting = { date: "2026-03-01", sheet: 5 };
  const right = { kind: "signed", ...signed, signer: " Hoàng  Văn Mốt ", assisted: true, meeting } as const;
  await (await registers(mai)).amend(form, right);
  assert.deepEqual(await (await registers(mai)).returned(), []);
  await synced(mai, lan);
  const { acts, outcome, where } = await lan.field.household("napo", id);
  assert.deepEqual([outcome, where], ["signed", "corrected"]);
  assert.deepEqual(
    acts
      .filter(({ stands, act }) => stands && act.kind === "signed")
      .map(({ act }) => ({ ...act, id: "", at: "", by: "" })),
    [
      {
        ...{ id: "", at: "", by: "", clauses: 1, notice: 1, read_aloud: true },
        ...{ ...right, signer: "Hoàng Văn Mốt" },
      },
    ],
  );
  assert.equal(acts.length, 3, "nothing of the history is gone");
});

test("a returned visit becomes the one that was meant", async () => {
  const id = server.commune.households.napo[2] ?? "";
  await mai.field.recordVisit(await mai.field.openForm("napo", id), "met");
  const form = await (await registers(mai)).openAmend("napo", "household", id);
  assert.equal(form.act?.kind, "visit");
  await (await registers(mai)).amend(form, { kind: "visit", result: "nobody_home" });
  assert.equal((await mai.field.household("napo", id)).outcome, "nobody_home");
  const wrong = (await registers(mai)).amend(form, {
    kind: "signed",
    signer: "X",
    role: "head",
    method: "touch",
    assisted: false,
  });
  await assert.rejects(wrong, { code: "invalid" });
});

test("a bulletin stands on its days, in its hamlets, and is remembered as read", async () => {
  const said = async (today: string) => (await registers(mai)).bulletins(today);
  assert.deepEqual(
    (await said("2026-03-31")).map(({ title, read }) => [title, read]),
    [["Ra quân", false]],
  );
  await (await registers(mai)).readBulletin(BULLETIN);
  assert.deepEqual(
    (await said("2026-03-01")).map(({ read }) => read),
    [true],
  );
  assert.deepEqual([await said("2026-02-28"), await said("2026-04-01")], [[], []]);
});
