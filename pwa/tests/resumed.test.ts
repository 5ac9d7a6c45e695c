/** A half-filled form that goes on: what was touched is the person's, all else is as a sync has left it. */
import assert from "node:assert/strict";
import test from "node:test";
import { resumed } from "../src/core/resumed.ts";

const TABLE: readonly [name: string, was: unknown, mine: unknown, now: unknown, goesOn: unknown][] = [
  ["what nobody touched stays", { n: "45" }, { n: "45" }, { n: "45" }, { n: "45" }],
  ["what a colleague corrected is as he corrected it", { n: "45" }, { n: "45" }, { n: "54" }, { n: "54" }],
  ["what the person typed stays hers", { n: "45" }, { n: "46" }, { n: "45" }, { n: "46" }],
  ["also where a colleague wrote something else", { n: "45" }, { n: "46" }, { n: "54" }, { n: "46" }],
  ["each field by itself", { n: "45", s: "" }, { n: "45", s: "a" }, { n: "54", s: "" }, { n: "54", s: "a" }],
  [
    "each answer by itself",
    { v: { a: 1, b: 1 } },
    { v: { a: 2, b: 1 } },
    { v: { a: 1, b: 3 } },
    { v: { a: 2, b: 3 } },
  ],
  [
    "an answer that was cleared stays so",
    { v: { a: 1, b: 1 } },
    { v: { b: 1 } },
    { v: { a: 1, b: 2 } },
    { v: { b: 2 } },
  ],
  [
    "an answer that a colleague gave first is there",
    { v: {} },
    { v: { a: 1 } },
    { v: { b: 2 } },
    { v: { a: 1, b: 2 } },
  ],
  [
    "a colleague's photograph stays beside the own one",
    { p: {} },
    { p: { x: ["m"] } },
    { p: { y: ["t"] } },
    { p: { x: ["m"], y: ["t"] } },
  ],
  [
    "of one question too",
    { p: { x: ["o"] } },
    { p: { x: ["o", "m"] } },
    { p: { x: ["o", "t"] } },
    { p: { x: ["o", "t", "m"] } },
  ],
  ["a photograph that either took out is gone", ["o", "q", "r"], ["q", "r"], ["o", "r"], ["r"]],
  [
    "a value that the form did not have by then",
    { n: "1" },
    { n: "2" },
    { n: "1", s: "" },
    { n: "2", s: "" },
  ],
];

test("a form that goes on undoes nothing of a colleague's, and nothing of the person's", () => {
  // As JSON has it: what is undefined is not there.
  for (const [name, was, mine, now, goesOn] of TABLE)
    assert.deepEqual(JSON.parse(JSON.stringify(resumed(was, mine, now))), goesOn, name);
});
