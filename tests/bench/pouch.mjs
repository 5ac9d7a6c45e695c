/** A stock PouchDB in Node, told what to do line by line: the peer in `tests/bench/exchange.py`. */
import { createRequire } from "node:module";
import { createInterface } from "node:readline";

// PouchDB is a dependency of the conformance tests only; it is found there.
const require = createRequire(new URL("../conformance/package.json", import.meta.url));
const PouchDB = require("pouchdb");
PouchDB.plugin(require("pouchdb-adapter-memory"));

const [, , server, credential] = process.argv;
const headers = { Authorization: `Bearer ${credential}` };
const remote = (name) =>
  new PouchDB(`${server}/db/${name}`, {
    skip_setup: true,
    fetch: (url, options) => {
      for (const [key, value] of Object.entries(headers)) options.headers.set(key, value);
      return PouchDB.fetch(url, options);
    },
  });
const local = new Map();
const named = (name) => {
  if (!local.has(name)) local.set(name, new PouchDB(name, { adapter: "memory" }));
  return local.get(name);
};

const orders = {
  pull: async ({ db, docs }) => (await named(docs).replicate.from(remote(db))).docs_written,
  push: async ({ db, docs }) => (await named(docs).replicate.to(remote(db))).docs_written,
  put: async ({ docs, bodies }) => {
    const answers = await named(docs).bulkDocs(bodies);
    return answers.filter((answer) => answer.ok).length;
  },
};

for await (const line of createInterface({ input: process.stdin })) {
  const order = JSON.parse(line);
  const begun = performance.now();
  try {
    const result = await orders[order.do](order);
    console.log(JSON.stringify({ seconds: (performance.now() - begun) / 1000, result }));
  } catch (error) {
    console.log(JSON.stringify({ error: String(error?.message ?? error) }));
  }
}
