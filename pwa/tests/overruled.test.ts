/** Whose value lost is told: from documents alone. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { JsonObject } from "../src/core/json.ts";
import { lostValues, replacedValues, stillTold } from "../src/data/overruled.ts";

const at = (ms: number, device: string) => `${1764547200000 + ms}-0000-${device}`;
const DAY = 86_400_000;

function inspection(stamp: string, bell: boolean, more: JsonObject = {}): JsonObject {
  const answers = { checklist: "ban-thu", version: 1, values: { bell } };
  return { type: "inspection", v: 1, by: "lan01", stamps: { "*": stamp }, answers, photos: [], ...more };
}

const mine = inspection(at(1, "phonemai"), true);
const fresh = { stamps: [at(1, "phonemai")], acts: [] };

test("a value that waits beside the shown one is told as waiting, and no more once staff have chosen it", () => {
  const others = [{ stamp: at(1, "phonemai"), value: mine.answers as JsonObject }];
  const asked = inspection(at(2, "phonelan"), false, { asks: { answers: { others } } });
  const values = lostValues(mine, fresh, asked);
  assert.deepEqual(stillTold(values, asked), { answers: "waits" });
  assert.deepEqual(stillTold(values, inspection(at(3, "officethu"), true)), {});
  assert.deepEqual(stillTold(values, inspection(at(3, "officethu"), false)), { answers: "office" });
});

test("staff who choose against the shown value are told of as staff", () => {
  const chosen = inspection(at(DAY, "officethu"), false);
  assert.deepEqual(stillTold(replacedValues(mine, chosen, "phonemai"), chosen), { answers: "office" });
});

test("what this phone did not write, wrote itself, or wrote long ago is not told", () => {
  const theirs = inspection(at(2, "phonelan"), false);
  assert.deepEqual(replacedValues(mine, theirs, "phonethu"), {});
  assert.deepEqual(replacedValues(mine, inspection(at(2, "phonemai"), false), "phonemai"), {});
  assert.deepEqual(replacedValues(mine, inspection(at(31 * DAY, "phonelan"), false), "phonemai"), {});
  const walk = { type: "household", v: 1, stamps: { "*": at(1, "phonemai") }, order: 3 };
  const renumbered = { ...walk, stamps: { "*": at(2, "officethu") }, order: 30 };
  assert.deepEqual(replacedValues(walk, renumbered, "phonemai"), {});
});
