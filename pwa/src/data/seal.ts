/**
 * Sealed records: what a phone may hand to anybody, since only the server can open it.
 *
 *   head | ephemeral P-256 public key, raw, 65 bytes | iv, 12 | AES-256-GCM ciphertext and tag
 *
 * The key is HKDF-SHA-256(ECDH shared x, salt = ephemeral raw ‖ receiver's raw, info), 32 bytes; the additional
 * data are the head ‖ the receiver's key id as text. The head is a version byte; 1: one document, or a key. 2:
 * several documents under one seal (`several.ts`), and a second byte says how many. `server/sealing.py` is the other
 * end.
 */
import { fromBase64url, gunzip, gzip, joined, utf8 } from "./bytes.ts";
import type { Bytes, Env } from "./env.ts";

/** A public key of the server: its id, and the SubjectPublicKeyInfo in base64url. */
export interface PublicKey {
  readonly id: string;
  readonly spki: string;
}

/** What bytes are for: sealed for one purpose, they do not open for another. `head`: its length in bytes. */
export interface Purpose {
  readonly version: number;
  readonly info: string;
  readonly head: number;
}

export const RECORD: Purpose = { version: 1, info: "camket sealed 1", head: 1 };
export const SEVERAL: Purpose = { version: 2, info: "camket sealed 2", head: 2 };
export const RECOVERY: Purpose = { version: 1, info: "camket recovery 1", head: 1 };

const POINT = 65;
const IV = 12;
const CURVE = { name: "ECDH", namedCurve: "P-256" } as const;

type Crypto = Pick<Env, "subtle" | "random">;

/** Seals bytes to a public key; `about` is what the head says after the version. */
export async function seal(
  env: Crypto,
  to: PublicKey,
  { version, info }: Purpose,
  plain: Bytes,
  ...about: readonly number[]
): Promise<Bytes> {
  const head = new Uint8Array([version, ...about]);
  const receiver = await env.subtle.importKey("spki", fromBase64url(to.spki), CURVE, true, []);
  const pair = await env.subtle.generateKey(CURVE, false, ["deriveBits"]);
  const ephemeral = await raw(env, pair.publicKey);
  const salt = joined(ephemeral, await raw(env, receiver));
  const key = await shared(env, pair.privateKey, receiver, salt, info, "encrypt");
  const iv = env.random(IV);
  const additionalData = joined(head, utf8(to.id));
  const sealed = await env.subtle.encrypt({ name: "AES-GCM", iv, additionalData }, key, plain);
  return joined(head, ephemeral, iv, new Uint8Array(sealed));
}

/** Opens what was sealed to `pair`. Raises where it was not, or was altered. */
export async function open(
  env: Crypto,
  pair: CryptoKeyPair,
  keyId: string,
  { version, info, head }: Purpose,
  sealed: Bytes,
): Promise<Bytes> {
  if (sealed[0] !== version) throw new Error(`sealed by a newer program: version ${sealed[0]}`);
  const ephemeral = sealed.slice(head, head + POINT);
  const sender = await env.subtle.importKey("raw", ephemeral, CURVE, true, []);
  const salt = joined(ephemeral, await raw(env, pair.publicKey));
  const key = await shared(env, pair.privateKey, sender, salt, info, "decrypt");
  const iv = sealed.slice(head + POINT, head + POINT + IV);
  const additionalData = joined(sealed.slice(0, head), utf8(keyId));
  const body = sealed.slice(head + POINT + IV);
  return new Uint8Array(await env.subtle.decrypt({ name: "AES-GCM", iv, additionalData }, key, body));
}

/** A record as it travels: gzip, always (a browser without it cannot seal; it still syncs by the exchange). */
export async function packed(value: unknown): Promise<Bytes | null> {
  return gzip(utf8(JSON.stringify(value)));
}

export async function unpacked(bytes: Bytes): Promise<unknown> {
  return JSON.parse(new TextDecoder().decode(await gunzip(bytes)));
}

/** A key pair to receive with, kept in IndexedDB: it cannot be read out. */
export function newPair(env: Crypto): Promise<CryptoKeyPair> {
  return env.subtle.generateKey(CURVE, false, ["deriveBits"]);
}

export async function spki(env: Crypto, key: CryptoKey): Promise<Bytes> {
  return new Uint8Array(await env.subtle.exportKey("spki", key));
}

async function raw(env: Crypto, key: CryptoKey): Promise<Bytes> {
  return new Uint8Array(await env.subtle.exportKey("raw", key));
}

async function shared(
  env: Crypto,
  own: CryptoKey,
  other: CryptoKey,
  salt: Bytes,
  info: string,
  use: "encrypt" | "decrypt",
): Promise<CryptoKey> {
  const bits = await env.subtle.deriveBits({ name: "ECDH", public: other }, own, 256);
  const base = await env.subtle.importKey("raw", bits, "HKDF", false, ["deriveKey"]);
  const how = { name: "HKDF", hash: "SHA-256", salt, info: utf8(info) };
  return env.subtle.deriveKey(how, base, { name: "AES-GCM", length: 256 }, false, [use]);
}
