/** Runs of QR codes: parts in any order, again and again, mixed, lacking, changed. */
import assert from "node:assert/strict";
import { webcrypto } from "node:crypto";
import test from "node:test";
import { gzipSync } from "node:zlib";
import encodeQR from "qr";
import { decodeQR } from "qr/decode.js";
import { base45, fromBase45, type Heard, MOST, PIECE, Runs, split, VERSION } from "../src/core/codes.ts";
import { codesOf, Reading } from "../src/data/codes.ts";

const env = { subtle: webcrypto.subtle as SubtleCrypto };

/** Numbers that follow from a seed, so that what failed can be seen again. */
function dice(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

function bytesOf(length: number, roll: (below: number) => number): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length }, () => roll(256));
}

function shuffled<T>(all: readonly T[], roll: (below: number) => number): T[] {
  const left = [...all];
  return all.map(() => left.splice(roll(left.length), 1)[0] as T);
}

const wholeOf = (heard: Heard) => (heard.kind === "part" ? heard.whole : null);

test("base45 is that of RFC 9285, and refuses all else", () => {
  for (const [plain, text] of [
    ["AB", "BB8"],
    ["Hello!!", "%69 VD92EX0"],
    ["base-45", "UJCLQE7W581"],
    ["ietf!", "QED8WEX0"],
    ["", ""],
  ] as const) {
    assert.equal(base45(new TextEncoder().encode(plain)), text);
    assert.equal(new TextDecoder().decode(fromBase45(text) ?? undefined), plain);
  }
  for (const bad of ["A", "GGW:", ":::", "::", "aaa", "Ä00", "BB8B"])
    assert.equal(fromBase45(bad), null, bad);
});

test("a run comes together in any order, from parts that come again and mixed with another run's", () => {
  for (let seed = 1; seed <= 200; seed++) {
    const roll = dice(seed);
    const runs = [0, 1, 2].map((n) => {
      const whole = bytesOf(1 + roll(PIECE * 5), roll);
      return { whole, codes: split(new Uint8Array(8).fill(n), whole) };
    });
    const shown = runs.flatMap(({ codes }) => [...codes, ...codes]);
    const reader = new Runs();
    const found = new Map<string, Uint8Array>();
    for (const code of shuffled(shown, roll)) {
      const heard = reader.hear(roll(2) ? code : ` ${code}\n`);
      assert.equal(heard.kind, "part");
      const whole = wholeOf(heard);
      if (whole && heard.kind === "part") found.set(heard.run, whole);
    }
    assert.deepEqual(
      [...found].sort().map(([, whole]) => whole),
      runs.map(({ whole }) => whole),
      `seed ${seed}`,
    );
  }
});

test("nothing is whole while a part is lacking, and progress counts each part once", () => {
  const roll = dice(7);
  const codes = split(bytesOf(8, roll), bytesOf(PIECE * 3 + 1, roll));
  assert.equal(codes.length, 4);
  const reader = new Runs();
  const told = [0, 0, 2, 3, 2, 0].map((n) => reader.hear(codes[n] ?? ""));
  assert.deepEqual(
    told.map((heard) => heard.kind === "part" && [heard.read, heard.of, heard.fresh, heard.whole]),
    [
      [1, 4, true, null],
      [1, 4, false, null],
      [2, 4, true, null],
      [3, 4, true, null],
      [3, 4, false, null],
      [3, 4, false, null],
    ],
  );
  assert.ok(wholeOf(reader.hear(codes[1] ?? "")));
});

test("a part that was changed is broken, whatever was changed, and spoils nothing", () => {
  for (let seed = 1; seed <= 300; seed++) {
    const roll = dice(seed);
    const whole = bytesOf(PIECE * 2, roll);
    const [first = "", second = ""] = split(bytesOf(8, roll), whole);
    const at = 4 + roll(first.length - 4);
    const other = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"[roll(45)] ?? "";
    const changed = first.slice(0, at) + other + first.slice(at + 1);
    const reader = new Runs();
    if (changed !== first) assert.equal(reader.hear(changed).kind, "broken", `seed ${seed}`);
    assert.equal(reader.hear(first.slice(0, at)).kind, "broken");
    reader.hear(second);
    assert.deepEqual(wholeOf(reader.hear(first)), whole);
  }
});

test("what is no code of Camket's is foreign, of a newer app broken", () => {
  const reader = new Runs();
  for (const text of ["", "https://xa.example/join#8CM89", "WIFI:S:nhavanhoa;;", "ck1:BB8"])
    assert.equal(reader.hear(text).kind, "foreign", text);
  for (const text of ["CK1:", "CK1:BB8", "CK2:BB8BB8BB8BB8BB8BB8BB8BB8"])
    assert.equal(reader.hear(text).kind, "broken", text);
  const long = split(new Uint8Array(8), new Uint8Array(PIECE * (MOST + 1)));
  assert.equal(reader.hear(long[0] ?? "").kind, "broken", "more codes than anybody would hold still for");
});

test("a part that says something else of the same run is broken", () => {
  const run = new Uint8Array(8);
  const [mine = ""] = split(run, new Uint8Array(PIECE * 2).fill(1));
  const [yours = ""] = split(run, new Uint8Array(PIECE * 2).fill(2));
  const [longer = ""] = split(run, new Uint8Array(PIECE * 3).fill(1));
  const reader = new Runs();
  assert.equal(reader.hear(mine).kind, "part");
  assert.equal(reader.hear(yours).kind, "broken");
  assert.equal(reader.hear(longer).kind, "broken");
});

test("who begins many runs is not remembered for ever", () => {
  const reader = new Runs();
  const runs = [0, 1, 2, 3, 4].map((n) =>
    split(new Uint8Array(8).fill(n), new Uint8Array(PIECE * 2).fill(n)),
  );
  for (const [first = ""] of runs) reader.hear(first);
  assert.ok(wholeOf(reader.hear(runs[4]?.[1] ?? "")));
  assert.equal(wholeOf(reader.hear(runs[0]?.[1] ?? "")), null, "the first one begins again");
});

test("a text comes through as it was", async () => {
  const text = `camket-bundle 1 key\n${webcrypto.getRandomValues(new Uint8Array(3_000)).join("")}\nđủ dấu\n`;
  const codes = (await codesOf(env, text)) ?? [];
  const reader = new Reading(env);
  const heard = [];
  for (const code of [...codes].reverse()) heard.push(await reader.hear(code));
  assert.deepEqual(heard.pop(), { kind: "whole", of: codes.length, text });
  assert.deepEqual(new Set(heard.map(({ kind }) => kind)), new Set(["part"]));
});

test("a run that is not what it is named after, no gzip, or larger than anything of ours is broken", async () => {
  const name = async (whole: Uint8Array<ArrayBuffer>) =>
    new Uint8Array(await env.subtle.digest("SHA-256", whole)).slice(0, 8);
  const bomb = new Uint8Array(gzipSync(new Uint8Array(5_000_000)));
  const plain = new TextEncoder().encode("camket-bundle 1 key\n");
  const good = new Uint8Array(gzipSync(plain));
  const cut = good.slice(0, -4);
  for (const [run, whole] of [
    [await name(bomb), bomb],
    [await name(plain), plain],
    [await name(cut), cut],
    [new Uint8Array(8), good],
  ] as const) {
    const reader = new Reading(env);
    const heard = [];
    for (const code of split(run, whole)) heard.push((await reader.hear(code)).kind);
    assert.equal(heard.at(-1), "broken");
  }
});

test("the fullest code fits the largest version, and a decoder reads what was drawn", () => {
  const roll = dice(3);
  for (const code of split(bytesOf(8, roll), bytesOf(PIECE * 3, roll))) {
    const drawn = encodeQR(code, "raw", { ecc: "low", encoding: "alphanumeric", border: 4 });
    assert.equal(drawn.length, 17 + 4 * VERSION + 8);
    assert.equal(decodeQR(picture(drawn, 5)), code);
  }
});

/** A picture of a code, so many pixels for a module. */
function picture(drawn: readonly boolean[][], scale: number) {
  const width = drawn.length * scale;
  const data = new Uint8Array(width * width * 4).fill(255);
  for (let y = 0; y < width; y++)
    for (let x = 0; x < width; x++)
      if (drawn[Math.floor(y / scale)]?.[Math.floor(x / scale)])
        data.fill(0, (y * width + x) * 4, (y * width + x) * 4 + 3);
  return { width, height: width, data };
}
