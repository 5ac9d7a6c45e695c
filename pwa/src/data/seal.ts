/**
 * Sealed records: what a phone may hand to anybody, since only the server can open it.
 *
 *   version byte 1 | ephemeral P-256 public key, raw, 65 bytes | iv, 12 | AES-256-GCM ciphertext and tag
 *
 * The key is HKDF-SHA-256(ECDH shared x, salt = ephemeral raw ‖ receiver's raw, info), 32 bytes; the additional
 * data are the version byte ‖ the receiver's key id as text. `server/sealed.py` is the other end.
 */
import { fromBase64url, gunzip, gzip, joined, utf8 } from "./bytes.ts";
import type { Bytes, Env } from "./env.ts";

/** A public key of the server: its id, and the SubjectPublicKeyInfo in base64url. */
export interface PublicKey {
  readonly id: string;
  readonly spki: string;
}

export const RECORD = "camket sealed 1";
export const RECOVERY = "camket recovery 1";

const VERSION = 1;
const POINT = 65;
const IV = 12;
const CURVE = { name: "ECDH", namedCurve: "P-256" } as const;

type Crypto = Pick<Env, "subtle" | "random">;

/** Seals bytes to a public key. */
export async function seal(env: Crypto, to: PublicKey, info: string, plain: Bytes): Promise<Bytes> {
  const receiver = await env.subtle.importKey("spki", fromBase64url(to.spki), CURVE, true, []);
  const pair = await env.subtle.generateKey(CURVE, false, ["deriveBits"]);
  const ephemeral = await raw(env, pair.publicKey);
  const salt = joined(ephemeral, await raw(env, receiver));
  const key = await shared(env, pair.privateKey, receiver, salt, info, "encrypt");
  const iv = env.random(IV);
  const additionalData = bound(to.id);
  const sealed = await env.subtle.encrypt({ name: "AES-GCM", iv, additionalData }, key, plain);
  return joined(new Uint8Array([VERSION]), ephemeral, iv, new Uint8Array(sealed));
}

/** Opens what was sealed to `pair`. Raises where it was not, or was altered. */
export async function open(
  env: Crypto,
  pair: CryptoKeyPair,
  keyId: string,
  info: string,
  sealed: Bytes,
): Promise<Bytes> {
  if (sealed[0] !== VERSION) throw new Error(`sealed by a newer program: version ${sealed[0]}`);
  const ephemeral = sealed.slice(1, 1 + POINT);
  const sender = await env.subtle.importKey("raw", ephemeral, CURVE, true, []);
  const salt = joined(ephemeral, await raw(env, pair.publicKey));
  const key = await shared(env, pair.privateKey, sender, salt, info, "decrypt");
  const iv = sealed.slice(1 + POINT, 1 + POINT + IV);
  const additionalData = bound(keyId);
  const body = sealed.slice(1 + POINT + IV);
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

function bound(keyId: string): Bytes {
  return joined(new Uint8Array([VERSION]), utf8(keyId));
}
