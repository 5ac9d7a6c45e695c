import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import {
  type Answers,
  answered,
  applicable,
  type Checklist,
  type Photo,
  problems,
  score,
} from "../src/core/checklist.ts";

declare const __PWA__: string;

interface Vectors {
  answered: { name: string; values: Answers; photos: Photo[]; answers: Answers }[];
  checklist: Checklist;
  cases: {
    name: string;
    answers: Answers;
    applicable: string[];
    problems: [item: string, key: string][];
    score: [earned: number, possible: number];
  }[];
}
const path = join(__PWA__, "..", "tests", "vectors", "checklists.json");
const vectors: Vectors = JSON.parse(readFileSync(path, "utf-8"));

for (const { name, answers, ...expected } of vectors.cases)
  test(`a checklist gets the server's verdict: ${name}`, () => {
    const { earned, possible } = score(vectors.checklist, answers);
    assert.deepEqual(
      {
        applicable: applicable(vectors.checklist, answers).map((item) => item.id),
        problems: problems(vectors.checklist, answers).map((problem) => [problem.item, problem.key]),
        score: [earned, possible],
      },
      expected,
    );
  });

for (const { name, values, photos, answers } of vectors.answered)
  test(`photographs are answers: ${name}`, () => assert.deepEqual(answered(values, photos), answers));
