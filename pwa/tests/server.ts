/**
 * A server as phones see one, in memory: it takes everything, keeps the last revision of each document as the winner,
 * and answers the exchange part by part. What a real one decides (merging, rules) is tested against a real one.
 */
import assert from "node:assert/strict";
import type { JsonObject } from "../src/core/json.ts";
import { fromBase64url, toBase64url } from "../src/data/bytes.ts";
import type { PublicKey } from "../src/data/seal.ts";
import { open, RECOVERY, seal } from "../src/data/seal.ts";
import { type Asked, json, NOON, type Phone, phone, type Serve, serverKeys, stream } from "./phone.ts";

export const PIN = "135790";

/** A phone that joined and synced, in a hamlet (`na`) of so many households. */
export async function enrolled(server: ScriptedServer, households = 5): Promise<Phone> {
  for (let n = 1; n <= households; n++)
    server.put("hamlet-na", `household:${ulidOf(n)}`, household(n, `Hoàng Văn ${n}`));
  const mine = phone(server.serve);
  await mine.field.join("abcde-fgh10", "Điện thoại");
  await mine.field.setPin(PIN);
  assert.equal((await mine.field.syncNow()).problem, null);
  return mine;
}

interface Stored {
  readonly id: string;
  readonly rev: string;
  readonly revs: readonly string[];
  readonly doc: JsonObject;
  readonly seq: number;
}

export class ScriptedServer {
  readonly rows = new Map<string, Stored>();
  readonly requests: Asked[] = [];
  clock = NOON;
  seq = 0;
  /** Which outcome a document gets; received where it says nothing. */
  verdict: (doc: JsonObject) => string = () => "received";
  /** Looks at the parts of an answer before they go, and may change them. */
  parts: (parts: unknown[], asked: Asked) => unknown[] = (parts) => parts;
  /** Bytes after which the next answer is cut; it says so once. */
  cutAfter: number | null = null;

  private constructor(
    readonly keys: PublicKey,
    readonly pair: CryptoKeyPair,
  ) {}

  static async start(): Promise<ScriptedServer> {
    const { pair, told } = await serverKeys();
    const server = new ScriptedServer(told, pair);
    server.put("commune", "hamlet:na", { ...envelope("hamlet"), name: "Nà Pò", kind: "thôn", order: 1 });
    server.put("commune", "campaign:2026", {
      ...envelope("campaign"),
      ...{ name: "Cam kết 2026", starts: "2026-01-01", ends: "2026-12-31", target: 90 },
      ...{ counts: ["resident", "seasonal_away"], touch_counts: true, clauses: 1, notice: 1, state: "open" },
    });
    return server;
  }

  /** Another server that has come as far as this one. */
  copy(): ScriptedServer {
    const other = new ScriptedServer(this.keys, this.pair);
    for (const [key, row] of this.rows) other.rows.set(key, row);
    return Object.assign(other, { clock: this.clock, seq: this.seq });
  }

  /** Stores a winner; without a revision, a new one. */
  put(db: string, id: string, doc: JsonObject, rev = `1-${hash(id)}`, revs = [rev.slice(2)]): void {
    this.rows.set(`${db} ${id}`, { id, rev, revs, doc, seq: ++this.seq });
  }

  winner(db: string, id: string): Stored | undefined {
    return this.rows.get(`${db} ${id}`);
  }

  readonly serve: Serve = (asked) => {
    this.requests.push(asked);
    if (asked.path === "/join") return json(this.#join());
    if (asked.path === "/db/_exchange") return this.#exchange(asked);
    if (asked.path === "/recovery") {
      this.#recovery = { ...JSON.parse(asked.body), answer: null };
      return json({ id: "recovery1" });
    }
    if (asked.path === "/recovery/recovery1") {
      const answer = this.#recovery?.answer;
      return json(answer ? { state: "approved", wrapped: answer } : { state: "pending" });
    }
    return json({ error: "not_found" }, 404);
  };

  #recovery: { wrapped: string; reply_key: string; answer: string | null } | null = null;

  /** What `server/recovery.py` does when an admin says yes. */
  async approveRecovery(): Promise<void> {
    const asked = this.#recovery;
    assert.ok(asked);
    const { env } = phone();
    const raw = await open(env, this.pair, this.keys.id, RECOVERY, fromBase64url(asked.wrapped));
    const to = { id: "recovery1", spki: asked.reply_key };
    asked.answer = toBase64url(await seal(env, to, RECOVERY, raw));
  }

  #join(): unknown {
    return {
      ...{ device: "dev1", user: { id: "user1", name: "Lý Thị Mai", role: "volunteer" } },
      ...{ credential: "d.dev1.secret", send: "s.dev1.secret", seal_key: this.keys, recovery_key: this.keys },
      ...{ dbs: ["commune", "hamlet-na"], clock: this.clock, commune: "Xã Thụy Hùng", demo: false },
    };
  }

  #exchange(asked: Asked): Response {
    const request = JSON.parse(asked.body) as {
      clock: number;
      dbs: Record<string, { since: string | null; docs?: JsonObject[] }>;
    };
    const skew = this.clock - request.clock;
    if (Math.abs(skew) > 300_000) return stream([{ clock: this.clock, skew }]);
    const parts: unknown[] = [{ clock: this.clock, dbs: ["commune", "hamlet-na"], user: {} }];
    let later: string | undefined;
    for (const [db, { since, docs = [] }] of Object.entries(request.dbs)) {
      const told = docs.map((doc) => this.#take(db, doc));
      const outcomes = told.filter(([, , is]) => is !== "later");
      later ??= told.find(([, , is]) => is === "later")?.[3];
      if (outcomes.length > 0) parts.push({ db, outcomes });
      const here = new Set(docs.map(({ _rev }) => _rev));
      const found = [...this.rows.entries()]
        .filter(([key, { seq }]) => key.startsWith(`${db} `) && seq > Number(since ?? 0))
        .sort(([, a], [, b]) => a.seq - b.seq)
        .map(([, { id, rev, revs, doc }]) => ({ id, rev, revs, ...(here.has(rev) ? {} : { doc }) }))
        .filter(({ id }) => !id.startsWith("signature:"));
      for (let at = 0; at < found.length; at += 3)
        parts.push({
          db,
          rows: found.slice(at, at + 3),
          position: String(this.#seqOf(db, found.slice(0, at + 3))),
        });
    }
    const answer = this.parts([...parts, { done: true, ...(later ? { later } : {}) }], asked);
    const cut = this.cutAfter;
    this.cutAfter = null;
    return stream(answer, cut ?? undefined);
  }

  #seqOf(db: string, rows: readonly { id: string }[]): number {
    return this.winner(db, rows[rows.length - 1]?.id ?? "")?.seq ?? 0;
  }

  #take(db: string, doc: JsonObject): string[] {
    const { _id, _rev, _revisions, ...body } = doc as JsonObject & { _id: string; _rev: string };
    const is = this.verdict(doc);
    const held = this.winner(db, _id);
    if (is === "received" && held?.rev !== _rev)
      this.put(db, _id, body as JsonObject, _rev, (_revisions as unknown as { ids: string[] }).ids);
    return is === "received" ? [_id, _rev, is] : [_id, _rev, is, "Vì sao"];
  }
}

export function envelope(type: string, ms = NOON - 86_400_000): JsonObject {
  return { type, v: 1, by: "admin1", stamps: { "*": `${ms}-0000-office1` } };
}

/** The ULID of the nth household of a test. */
export const ulidOf = (n: number) => `01JB0000000000000000000${String(n).padStart(3, "0")}`;

export function household(n: number, name: string): JsonObject {
  const status = { is: "resident", since: "2026-01-01" };
  return { ...envelope("household"), name, order: n * 10, status, place: { house: String(n) } };
}

function hash(text: string): string {
  return [...text]
    .reduce((sum, char) => (sum * 31 + char.charCodeAt(0)) % 1_000_003, 7)
    .toString(16)
    .padStart(32, "0");
}
