import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import type { JsonObject } from "../src/core/json.ts";
import { Schemas } from "../src/core/validate.ts";

declare const __PWA__: string;
const HOME = join(__PWA__, "..", "schemas");
const read = (...path: string[]): JsonObject => JSON.parse(readFileSync(join(HOME, ...path), "utf-8"));

const schemas = new Schemas(
  Object.fromEntries(
    readdirSync(HOME)
      .filter((file) => file.endsWith(".json"))
      .map((file) => [file.slice(0, -5), read(file)]),
  ),
);

for (const [folder, valid] of [
  ["valid", true],
  ["invalid", false],
] as const)
  test(`the ${folder} examples get the verdict that Python gives them`, () => {
    const files = readdirSync(join(HOME, "examples", folder));
    const wrong = files.filter(
      (file) => (schemas.validate(read("examples", folder, file)).length === 0) !== valid,
    );
    assert.ok(files.length > 20);
    assert.deepEqual(wrong, []);
  });

test("a keyword that the interpreter does not know is an error, not a pass", () => {
  const odd = new Schemas({ odd: { properties: { v: { const: 1 } }, dependentRequired: {} } });
  assert.throws(() => odd.validate({ type: "odd" }), /dependentRequired/);
});

test("what is wrong is named by its place", () => {
  const household = read("examples", "invalid", "household-with-a-null-name.json");
  assert.deepEqual(schemas.validate(household), [{ path: ["name"], key: "type" }]);
});
