/**
 * Builds the app into dist/: index.html, sw.js, manifest.webmanifest, icons/, assets/ (names carry a digest).
 *
 *   node build.mjs [--watch] [--out DIR] [--entry FILE]     --entry: another main module, for the tests
 */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { gzipSync } from "node:zlib";
import * as esbuild from "esbuild";
import { png, svg } from "./icons.mjs";

const ROOT = dirname(fileURLToPath(import.meta.url));
const FIRST_LOAD_BUDGET = 60_000; // bytes, gzip: HTML + CSS + JS of the first visit

const { values: flags } = parseArgs({
  options: {
    watch: { type: "boolean", default: false },
    out: { type: "string", default: join(ROOT, "dist") },
    entry: { type: "string", default: join(ROOT, "src/app/main.tsx") },
  },
});
const OUT = resolve(flags.out);

const common = {
  bundle: true,
  minify: !flags.watch,
  target: "chrome80",
  format: "esm",
  charset: "utf8",
  legalComments: "none",
  absWorkingDir: ROOT,
  jsx: "automatic",
  jsxImportSource: "preact",
  logLevel: "warning",
};

const MANIFEST = {
  id: "/",
  name: "Camket",
  short_name: "Camket",
  lang: "vi",
  start_url: "/",
  scope: "/",
  display: "standalone",
  orientation: "portrait",
  background_color: "#f7f6f2",
  theme_color: "#0b6b4f",
  // A file that another app hands over (Bluetooth, Zalo …): the service worker takes it, without a signal too.
  share_target: {
    action: "/",
    method: "POST",
    enctype: "multipart/form-data",
    params: { files: [{ name: "file", accept: ["text/plain", ".txt"] }] },
  },
  icons: [
    { src: "/icons/icon.svg", sizes: "any", type: "image/svg+xml" },
    { src: "/icons/192.png", sizes: "192x192", type: "image/png" },
    { src: "/icons/512.png", sizes: "512x512", type: "image/png" },
    { src: "/icons/maskable.png", sizes: "512x512", type: "image/png", purpose: "maskable" },
  ],
};

// No inline script or style: the server's policy is script-src 'self'; style-src 'self'.
const page = ({ script, style, now }) => `<!doctype html>
<html lang="vi">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1, viewport-fit=cover">
<meta name="theme-color" content="#0b6b4f">
<title>Camket</title>
<link rel="manifest" href="/manifest.webmanifest">
<link rel="icon" href="/icons/icon.svg" type="image/svg+xml">
<link rel="apple-touch-icon" href="/icons/192.png">
<link rel="stylesheet" href="${style}">
${now.map((path) => `<link rel="modulepreload" href="/${path}">\n`).join("")}<script type="module" src="${script}"></script>
</head>
<body>
<div id="app"></div>
<noscript>Camket cần JavaScript. / Camket needs JavaScript.</noscript>
</body>
</html>
`;

function put(path, bytes) {
  mkdirSync(dirname(join(OUT, path)), { recursive: true });
  writeFileSync(join(OUT, path), bytes);
  return path;
}

/** What of a schema is for people to read, not for the phone to load. */
const FOR_PEOPLE = ["$schema", "$id", "title", "description"];

/** The schemas that phones write by (src/data/schemas.ts), without that, and of the shared ones what these refer to. */
const leanSchemas = {
  name: "lean schemas",
  setup({ onLoad }) {
    const lean = (path) =>
      JSON.parse(readFileSync(path, "utf-8"), (key, value) =>
        FOR_PEOPLE.includes(key) && typeof value === "string" ? undefined : value,
      );
    const writes = readFileSync(join(ROOT, "src/data/schemas.ts"), "utf-8");
    onLoad({ filter: /[\\/]schemas[\\/]\w+\.json$/ }, ({ path }) => {
      const schema = lean(path);
      if (basename(path) === "common.json") {
        const named = [...writes.matchAll(/schemas\/(\w+)\.json/g)].map(([, name]) => name);
        const others = named.filter((name) => name !== "common");
        const used = new Set(others.flatMap((name) => defsIn(lean(join(dirname(path), `${name}.json`)))));
        for (const name of used) for (const more of defsIn(schema.$defs[name])) used.add(more);
        for (const name of Object.keys(schema.$defs)) if (!used.has(name)) delete schema.$defs[name];
      }
      return { contents: JSON.stringify(schema), loader: "json" };
    });
  },
};

/** The names of the definitions that a schema refers to. */
const defsIn = (schema) => [...JSON.stringify(schema).matchAll(/#\/\$defs\/(\w+)/g)].map(([, name]) => name);

/** The bundled app: file names by role, and the chunks that load later (the registers, other languages). */
async function bundle() {
  const { metafile } = await esbuild.build({
    ...common,
    entryPoints: { app: resolve(flags.entry) },
    outdir: join(OUT, "assets"),
    entryNames: "[name]-[hash]",
    chunkNames: "[name]-[hash]",
    assetNames: "[name]-[hash]",
    splitting: true,
    metafile: true,
    plugins: [leanSchemas],
  });
  const outputs = Object.entries(metafile.outputs).map(([file, about]) => ({
    path: relative(OUT, resolve(ROOT, file)),
    about,
  }));
  const main = outputs.find(({ about }) => about.entryPoint && about.cssBundle);
  if (!main) throw new Error("The entry must import the style sheet.");
  // What the entry imports statically is needed at once; the rest comes when it is asked for.
  const now = new Set([main.path]);
  for (const path of now) {
    const { about } = outputs.find((output) => output.path === path);
    for (const { path: file, kind } of about.imports)
      if (kind === "import-statement") now.add(relative(OUT, resolve(ROOT, file)));
  }
  refuseLaterWords(
    [...now].flatMap((path) => Object.keys(outputs.find((output) => output.path === path).about.inputs)),
  );
  return {
    script: main.path,
    style: relative(OUT, resolve(ROOT, main.about.cssBundle)),
    // Named in the page, so that all are asked for at once and none waits for the one that imports it.
    now: [...now],
    files: outputs.map(({ path }) => path),
    parts: sizesByPart([...now].map((path) => outputs.find((output) => output.path === path).about)),
  };
}

/** Fails where a screen of the first load says a word that loads later: it would find nothing to say. */
function refuseLaterWords(inputs) {
  const more = readFileSync(join(ROOT, "src/core/words/vi_more.ts"), "utf-8");
  const begins = new Set([...more.matchAll(/^ {2}"(\w+)\./gm)].map(([, begin]) => begin));
  for (const file of inputs.filter((path) => /src\/(app|core)\//.test(path) && !path.includes("/words/")))
    for (const [, said, begin] of readFileSync(join(ROOT, file), "utf-8").matchAll(/["`]((\w+)\.[a-z_$])/g))
      if (begins.has(begin))
        throw new Error(`${file} says "${said}…", a word that loads later (vi_more.ts).`);
}

/** Minified bytes of the first load by the part of the source that they come from. */
function sizesByPart(outputs) {
  const parts = {};
  for (const [file, { bytesInOutput }] of outputs.flatMap(({ inputs }) => Object.entries(inputs))) {
    const part = /node_modules\/([^/]+)/.exec(file)?.[1] ?? /src\/([^/]+)/.exec(file)?.[1] ?? "schemas";
    parts[part] = (parts[part] ?? 0) + bytesInOutput;
  }
  return parts;
}

/** The service worker, told what to keep. Its version is the digest of all that it keeps. */
async function worker(files) {
  const digest = createHash("sha256");
  for (const path of files) digest.update(path).update(readFileSync(join(OUT, path)));
  await esbuild.build({
    ...common,
    entryPoints: [join(ROOT, "src/sw/sw.ts")],
    outfile: join(OUT, "sw.js"),
    format: "iife",
    define: {
      __VERSION__: JSON.stringify(digest.digest("hex").slice(0, 16)),
      __PRECACHE__: JSON.stringify(
        Object.fromEntries(files.map((path) => [path === "index.html" ? "/" : `/${path}`, gzipped(path)])),
      ),
    },
  });
}

/** Bytes of a file as it travels. */
function gzipped(path) {
  return gzipSync(readFileSync(join(OUT, path)), { level: 9 }).length;
}

function report({ style, now, parts }) {
  const first = ["index.html", style, ...now];
  const total = first.reduce((sum, path) => sum + gzipped(path), 0);
  for (const path of first) console.log(`${String(gzipped(path)).padStart(7)}  ${basename(path)}`);
  console.log(`${String(total).padStart(7)}  first load, gzip (budget ${FIRST_LOAD_BUDGET})`);
  console.log(`${String(gzipped("sw.js")).padStart(7)}  sw.js`);
  const minified = Object.entries(parts).sort(([, a], [, b]) => b - a);
  console.log(`         minified: ${minified.map(([k, n]) => `${k} ${n}`).join(", ")}`);
  if (total > FIRST_LOAD_BUDGET) {
    console.error("Over the budget of the first load.");
    process.exitCode = 1;
  }
}

async function build() {
  if (existsSync(OUT)) rmSync(OUT, { recursive: true });
  const built = await bundle();
  put("index.html", page({ ...built, script: `/${built.script}`, style: `/${built.style}` }));
  put("manifest.webmanifest", JSON.stringify(MANIFEST));
  put("icons/icon.svg", svg());
  put("icons/192.png", png(192));
  put("icons/512.png", png(512));
  put("icons/maskable.png", png(512, { maskable: true }));
  await worker(["index.html", "manifest.webmanifest", "icons/icon.svg", "icons/192.png", ...built.files]);
  report(built);
}

await build();
if (flags.watch) {
  const { watch } = await import("node:fs");
  let soon;
  watch(join(ROOT, "src"), { recursive: true }, () => {
    clearTimeout(soon);
    soon = setTimeout(() => build().catch((error) => console.error(error.message)), 100);
  });
}
