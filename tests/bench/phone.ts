/** The real phone in Node, told what to do line by line: the driver behind `tests/bench/exchange.py`. */
import { createInterface } from "node:readline";
import { phone } from "../../pwa/tests/phone.ts";

interface Order {
  readonly do: "join" | "sync" | "meeting" | "households" | "visit";
  readonly code?: string;
  readonly hamlet?: string;
  readonly n?: number;
  readonly sheet?: number;
}

const [, , server = ""] = process.argv;
const made = phone((asked) =>
  fetch(`${server}${asked.path}`, { method: asked.method, headers: asked.headers, body: asked.raw }),
);
made.weak = process.env.BENCH_WEAK === "1";
Object.defineProperty(made.clock, "now", { get: () => Date.now() });

const orders: Record<Order["do"], (order: Order) => Promise<unknown>> = {
  join: async ({ code = "" }) => {
    await made.field.join(code, "bench");
    await made.field.setPin("123456");
  },
  sync: () => made.field.syncNow(),
  households: async ({ hamlet = "" }) => (await made.field.households(hamlet)).length,
  visit: async ({ hamlet = "", n = 0 }) => {
    const row = (await made.field.households(hamlet))[n];
    if (row) await made.field.recordVisit(await made.field.openForm(hamlet, row.id), "nobody_home");
  },
  meeting: async ({ hamlet = "", n = 0, sheet = 1 }) => {
    const open = (await made.field.households(hamlet)).filter((row) => row.outcome !== "signed");
    await made.field.meeting(hamlet, {
      date: new Date().toISOString().slice(0, 10),
      sheet,
      readAloud: true,
      households: open.slice(0, n).map((row) => ({
        id: row.id,
        signer: row.name,
        role: "head",
        method: "paper_signed",
      })),
    });
    return open.length;
  },
};

for await (const line of createInterface({ input: process.stdin })) {
  const order: Order = JSON.parse(line);
  const begun = performance.now();
  try {
    const result = await orders[order.do](order);
    console.log(JSON.stringify({ seconds: (performance.now() - begun) / 1000, result }));
  } catch (error) {
    console.log(JSON.stringify({ error: String(error) }));
  }
}
