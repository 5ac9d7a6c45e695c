import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { date, hamletName, number, sayer, weekday } from "../src/core/wording.ts";
import { en } from "../src/core/words/en.ts";
import { type Catalogue, vi as first } from "../src/core/words/vi.ts";
import { more } from "../src/core/words/vi_more.ts";

declare const __PWA__: string;
const SRC = join(__PWA__, "src");
const vi: Catalogue = { ...first, ...more };

const sources = (readdirSync(SRC, { recursive: true }) as string[])
  .filter((file) => /\.tsx?$/.test(file) && !/generated|words\//.test(file))
  .map((file) => [file, readFileSync(join(SRC, file), "utf8")] as const);

test("both languages take the same values in each sentence", () => {
  const values = (text: string) => [...new Set(text.match(/\{\w+\}/g))].sort();
  for (const key of Object.keys(vi) as (keyof Catalogue)[])
    assert.deepEqual(values(en[key]), values(vi[key]), key);
});

test("no sentence is left that nobody says", () => {
  const code = sources.map(([, text]) => text).join("\n");
  // A key is said as it stands, or by its beginning: say(`outcome.${outcome}`).
  const begun = [...code.matchAll(/`([a-z_.]+)\.\$\{/g)].map(([, prefix]) => prefix as string);
  const said = (key: string) =>
    code.includes(`"${key}"`) || begun.some((prefix) => key.startsWith(`${prefix}.`));
  assert.deepEqual(
    Object.keys(vi).filter((key) => !said(key)),
    [],
  );
});

test("no screen or part of one is loaded later without the words that it says", () => {
  const loads = sources
    .filter(([file]) => file.startsWith("app"))
    .flatMap(([, text]) =>
      text.split("\n").filter((line) => /import\(".*(\.tsx|apart\.ts)"\)|\bapart\(\)/.test(line)),
    )
    .filter((line) => !line.startsWith("const apart = "));
  assert.ok(loads.length > 5);
  assert.deepEqual(
    loads.filter((line) => !/\blater\(|\bmoreWords\(\)/.test(line)),
    [],
  );
});

test("no Vietnamese stands outside of the catalogue", () => {
  for (const [file, text] of sources.filter(([file]) => file.startsWith("app"))) {
    const code = text.replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, "").replace(/"Tiếng Việt"/, "");
    assert.doesNotMatch(code, /["'`>][^"'`<\n]*[ạảãầấậẩẫăằắặẳẵẹẻẽềếệểễỉĩịọỏốồổỗộớờởỡợụủũưứừửữựỳỷỹỵđ]/i, file);
  }
});

test("a day is said with its weekday, and what is no day not at all", () => {
  assert.equal(weekday("2026-10-05", "vi"), "Thứ Hai, 05/10/2026");
  assert.equal(weekday("2026-11-22", "en"), "Sunday, 22/11/2026");
  assert.equal(weekday("", "vi"), "");
  assert.equal(weekday("2026-13-40", "vi"), "");
});

test("a number in English takes the word that goes with it", () => {
  const say = sayer(en);
  assert.equal(say("home.problems", { n: 1 }), "1 record needs your attention");
  assert.equal(say("home.problems", { n: 2 }), "2 records need your attention");
  assert.equal(say("hamlet.shown", { n: 0 }), "0 households");
});

test("values, numbers and dates are said as Vietnamese write them", () => {
  const say = sayer(vi);
  assert.equal(say("home.progress", { signed: 12, total: 1_234 }), "12 trong 1.234 hộ đã ký");
  assert.equal(number(1_234_567), "1.234.567");
  assert.equal(date("2026-03-02"), "02/03/2026");
  assert.equal(hamletName({ kind: "thôn", name: "Khuổi Lạn" }), "Thôn Khuổi Lạn");
  assert.equal(hamletName({ kind: "ấp", name: "Một" }), "Ấp Một");
  assert.equal(hamletName({ kind: "", name: "khuoi" }), "Khuoi");
});
