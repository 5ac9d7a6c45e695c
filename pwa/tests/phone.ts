/** Test parts: a phone in Node (its own IndexedDB, clock, tabs) and a server that answers from a script. */
import "fake-indexeddb/auto";
import { webcrypto } from "node:crypto";
import { gunzipSync } from "node:zlib";
import { IDBFactory } from "fake-indexeddb";
import { toBase64url } from "../src/data/bytes.ts";
import type { Env } from "../src/data/env.ts";
import { PhoneField } from "../src/data/field.ts";
import type { Marks } from "../src/data/loss.ts";
import { newPair, type PublicKey, spki } from "../src/data/seal.ts";

/** What a request looked like, its body unpacked. */
export interface Asked {
  readonly path: string;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** The body as it travels. */
  readonly raw: Uint8Array<ArrayBuffer> | null;
}

export type Serve = (asked: Asked) => Response | Promise<Response>;

export interface Phone {
  readonly env: Env;
  readonly field: PhoneField;
  /** The wall clock, milliseconds; tests set it. */
  clock: { now: number };
  /** Timers that are set, soonest first; none runs by itself. */
  readonly timers: { at: number; call: () => void }[];
  /** The link; null for no signal. */
  serve: Serve | null;
  /** Whether the browser calls the link weak. */
  weak: boolean;
  /** Whether bytes may cost money. */
  metered: boolean;
  /** Another tab or a restart over the same storage. */
  again(): Phone;
}

export const NOON = Date.parse("2026-03-02T05:00:00Z");

export function phone(
  serve: Serve | null = null,
  indexedDB = new IDBFactory(),
  marks: { of: Marks } = { of: {} },
): Phone {
  const clock = { now: NOON };
  const timers: Phone["timers"] = [];
  const held = new Set<string>();
  const made: Pick<Phone, "serve" | "weak" | "metered"> = { serve, weak: false, metered: false };
  const env: Env = {
    now: () => clock.now,
    random: (length) => webcrypto.getRandomValues(new Uint8Array(length)),
    subtle: webcrypto.subtle as SubtleCrypto,
    indexedDB,
    fetch: async (path, init) => {
      if (!made.serve) throw new TypeError("no signal");
      return made.serve({
        path,
        method: init.method ?? "GET",
        headers: init.headers as Record<string, string>,
        body: unpacked(init.body as Uint8Array | undefined),
        raw: (init.body as Uint8Array<ArrayBuffer> | undefined) ?? null,
      });
    },
    transferred: async () => null,
    alone: async (name, work) => {
      if (held.has(name)) return null;
      held.add(name);
      return work().finally(() => held.delete(name));
    },
    channel: { post: () => {}, listen: () => () => {} },
    after: (ms, call) => {
      const timer = { at: clock.now + ms, call };
      timers.push(timer);
      return () => {
        const at = timers.indexOf(timer);
        if (at >= 0) timers.splice(at, 1);
      };
    },
    offline: () => !made.serve,
    weakLink: () => made.weak,
    metered: () => made.metered,
    // Node has no canvas: the tests' pictures are small already. What makes another one of the same pixels is the
    // scale that a WebP names for its width, and the density that a JPEG names.
    shrink: async (picture, less) => {
      const bytes = new Uint8Array(await picture.arrayBuffer());
      const mime = picture.type === "image/webp" ? picture.type : "image/jpeg";
      const [at, by] = mime === "image/webp" ? [27, 64] : [15, 1];
      bytes[at] = (bytes[at] ?? 0) + less * by;
      return { bytes, mime, width: 200, height: 150, thumb: bytes.slice(0, 40) };
    },
    wake: () => {},
    marks: { read: () => marks.of, write: (all) => (marks.of = all) },
    language: () => "vi",
    device: {
      secure: () => true,
      persist: async () => true,
      estimate: async () => ({ used: 1_000, quota: 1_000_000_000 }),
      inApp: () => null,
      ios: () => false,
      installed: () => false,
    },
  };
  return Object.assign(made, {
    env,
    field: new PhoneField(env),
    clock,
    timers,
    again: () => {
      const other = phone(made.serve, indexedDB, marks);
      other.clock.now = clock.now;
      return other;
    },
  });
}

function unpacked(body: Uint8Array | undefined): string {
  if (!body) return "";
  const bytes = body[0] === 0x1f ? gunzipSync(body) : body;
  return new TextDecoder().decode(bytes);
}

/** The server's keys, as /join tells them. */
export async function serverKeys(): Promise<{ pair: CryptoKeyPair; told: PublicKey }> {
  const env = { subtle: webcrypto.subtle as SubtleCrypto, random: (n: number) => new Uint8Array(n) };
  const pair = await newPair(env);
  return { pair, told: { id: "key1", spki: toBase64url(await spki(env, pair.publicKey)) } };
}

export function json(value: unknown, status = 200): Response {
  return new Response(JSON.stringify(value), { status, headers: { "Content-Type": "application/json" } });
}

/** A streamed answer: whole lines, or cut after so many bytes. */
export function stream(parts: readonly unknown[], cutAfter = Number.POSITIVE_INFINITY): Response {
  const text = parts.map((part) => `${JSON.stringify(part)}\n`).join("");
  const bytes = new TextEncoder().encode(text);
  const whole = cutAfter >= bytes.length;
  return new Response(
    new ReadableStream({
      start(controller) {
        controller.enqueue(bytes.slice(0, cutAfter));
        if (whole) controller.close();
        else controller.error(new TypeError("terminated"));
      },
    }),
  );
}
