/**
 * Keys at rest. A random data key encrypts every record (AES-256-GCM); it is wrapped by a key that PBKDF2 makes of
 * the PIN, and sealed to the server's recovery key. A PIN stops a neighbour, not a laboratory.
 */
import { fromUtf8, joined, utf8 } from "./bytes.ts";
import type { Bytes, Env } from "./env.ts";

/** OWASP's figure for PBKDF2-HMAC-SHA-256 (Password Storage Cheat Sheet, 2023). */
export const ITERATIONS = 600_000;
const IV = 12;

/** The data key wrapped by the PIN. */
export interface Wrapped {
  readonly salt: Bytes;
  readonly iterations: number;
  readonly key: Bytes;
}

type Crypto = Pick<Env, "subtle" | "random">;

/** A new data key: raw, to be wrapped; it never reaches the disk so. */
export function newDataKey(env: Crypto): Bytes {
  return env.random(32);
}

/** The data key for use; it cannot be read out again. */
export function dataKey(env: Crypto, raw: Bytes): Promise<CryptoKey> {
  return env.subtle.importKey("raw", raw, "AES-GCM", false, ["encrypt", "decrypt"]);
}

export async function wrap(env: Crypto, pin: string, raw: Bytes, iterations = ITERATIONS): Promise<Wrapped> {
  const salt = env.random(16);
  const key = await encrypt(env, await pinKey(env, pin, salt, iterations), raw, "data key");
  return { salt, iterations, key };
}

/** The raw data key, or null where the PIN is wrong. */
export async function unwrap(env: Crypto, pin: string, wrapped: Wrapped): Promise<Bytes | null> {
  const key = await pinKey(env, pin, wrapped.salt, wrapped.iterations);
  try {
    return await decrypt(env, key, wrapped.key, "data key");
  } catch {
    return null; // AES-GCM says only that the tag does not match: another key
  }
}

async function pinKey(env: Crypto, pin: string, salt: Bytes, iterations: number): Promise<CryptoKey> {
  const base = await env.subtle.importKey("raw", utf8(pin), "PBKDF2", false, ["deriveKey"]);
  return env.subtle.deriveKey(
    { name: "PBKDF2", hash: "SHA-256", salt, iterations },
    base,
    { name: "AES-GCM", length: 256 },
    false,
    ["encrypt", "decrypt"],
  );
}

/** iv ‖ ciphertext ‖ tag. `place` is bound to it: a record copied to another place does not open. */
export async function encrypt(env: Crypto, key: CryptoKey, plain: Bytes, place: string): Promise<Bytes> {
  const iv = env.random(IV);
  const additionalData = utf8(place);
  const sealed = await env.subtle.encrypt({ name: "AES-GCM", iv, additionalData }, key, plain);
  return joined(iv, new Uint8Array(sealed));
}

/** Raises OperationError where key, place or bytes are not those of the encryption. */
export async function decrypt(env: Crypto, key: CryptoKey, bytes: Bytes, place: string): Promise<Bytes> {
  const iv = bytes.slice(0, IV);
  const additionalData = utf8(place);
  const sealed = bytes.slice(IV);
  return new Uint8Array(await env.subtle.decrypt({ name: "AES-GCM", iv, additionalData }, key, sealed));
}

export async function encryptJson(
  env: Crypto,
  key: CryptoKey,
  value: unknown,
  place: string,
): Promise<Bytes> {
  return encrypt(env, key, utf8(JSON.stringify(value)), place);
}

export async function decryptJson<T>(env: Crypto, key: CryptoKey, bytes: Bytes, place: string): Promise<T> {
  return JSON.parse(fromUtf8(await decrypt(env, key, bytes, place))) as T;
}
