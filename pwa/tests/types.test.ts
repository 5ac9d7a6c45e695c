import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";

declare const __PWA__: string;

test("the generated types are those of the schemas (else: npm run types)", () => {
  const print = "import('./types.mjs').then(({ types }) => process.stdout.write(types()))";
  const fresh = execFileSync(process.execPath, ["--input-type=module", "-e", print], { cwd: __PWA__ });
  assert.equal(readFileSync(join(__PWA__, "src/generated/schemas.ts"), "utf-8"), fresh.toString());
});
