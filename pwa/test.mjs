/** Bundles each tests/**.test.ts for Node and runs them all; arguments name the files to run. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { availableParallelism } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import * as esbuild from "esbuild";

const ROOT = dirname(fileURLToPath(import.meta.url));
const asked = process.argv.slice(2);
const tests = readdirSync(join(ROOT, "tests"), { recursive: true })
  .filter((file) => /\.test\.tsx?$/.test(file))
  .filter((file) => asked.length === 0 || asked.some((name) => file.includes(name)))
  .map((file) => join(ROOT, "tests", file));

// Inside the package, so that what stays external (fake-indexeddb) is found.
const out = mkdtempSync(join(ROOT, "node_modules", ".tests-"));
try {
  await esbuild.build({
    entryPoints: tests,
    outdir: out,
    outbase: join(ROOT, "tests"),
    outExtension: { ".js": ".mjs" },
    bundle: true,
    platform: "node",
    target: "node20",
    format: "esm",
    packages: "external",
    sourcemap: "inline",
    jsx: "automatic",
    jsxImportSource: "preact",
    loader: { ".css": "empty" },
    // The bundles lie elsewhere than their sources: a test finds files beside it by this.
    define: { __PWA__: JSON.stringify(ROOT) },
    logLevel: "warning",
  });
  const files = readdirSync(out, { recursive: true })
    .filter((file) => file.endsWith(".mjs"))
    .map((file) => join(out, file));
  // Node's own default leaves one core idle, which on a machine with two is half of it.
  const options = ["--enable-source-maps", "--test", `--test-concurrency=${availableParallelism()}`];
  const run = spawnSync(process.execPath, [...options, ...files], { stdio: "inherit" });
  process.exitCode = run.status ?? 1;
} finally {
  rmSync(out, { recursive: true, force: true });
}
