/** Bytes: text, base64url, hex, gzip. */
import type { Bytes } from "./env.ts";

export const utf8 = (text: string): Bytes => new TextEncoder().encode(text) as Bytes;
export const fromUtf8 = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

export function joined(...parts: readonly Uint8Array[]): Bytes {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

export function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Base64 for addresses, without padding (RFC 4648, section 5). */
export function toBase64url(bytes: Uint8Array): string {
  let binary = "";
  // In slices: a call takes only so many arguments.
  for (let at = 0; at < bytes.length; at += 4096)
    binary += String.fromCharCode(...bytes.subarray(at, at + 4096));
  return btoa(binary).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
}

export function fromBase64url(text: string): Bytes {
  const binary = atob(text.replace(/-/g, "+").replace(/_/g, "/"));
  return Uint8Array.from(binary, (char) => char.charCodeAt(0));
}

/** Gzip, or null where the browser has none (it came with Chrome 80 and Safari 16.4). */
export async function gzip(bytes: Bytes): Promise<Bytes | null> {
  if (typeof CompressionStream === "undefined") return null;
  return through(bytes, new CompressionStream("gzip"));
}

/** Raises TypeError where the bytes are no gzip, RangeError where there are more than `most` in it. */
export async function gunzip(bytes: Bytes, most = Number.POSITIVE_INFINITY): Promise<Bytes> {
  return through(bytes, new DecompressionStream("gzip"), most);
}

async function through(
  bytes: Bytes,
  stream: CompressionStream | DecompressionStream,
  most = Number.POSITIVE_INFINITY,
): Promise<Bytes> {
  const reader = new Blob([bytes]).stream().pipeThrough(stream).getReader();
  const parts: Uint8Array[] = [];
  let size = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return joined(...parts);
    size += value.length;
    if (size > most) {
      await reader.cancel();
      throw new RangeError("more than it may hold");
    }
    parts.push(value);
  }
}
