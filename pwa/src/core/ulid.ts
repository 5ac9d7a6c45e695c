/** ULIDs: 48 bits of milliseconds, 80 random bits, in 26 characters of Crockford's base 32. */

const ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/** A ULID of a time (milliseconds since 1970) and ten random bytes. */
export function ulid(ms: number, random: Uint8Array): string {
  let text = "";
  for (let left = ms, i = 0; i < 10; i++, left = Math.floor(left / 32)) text = ALPHABET[left % 32] + text;
  let bits = 0;
  let held = 0;
  for (const byte of random.subarray(0, 10)) {
    held = (held << 8) | byte;
    bits += 8;
    while (bits >= 5) {
      bits -= 5;
      text += ALPHABET[(held >> bits) & 31];
    }
    held &= (1 << bits) - 1;
  }
  return text;
}

/** An invitation as people type it: dashes, spaces and case do not count, O is 0, I and L are 1. Null if it is none. */
export function invitation(typed: string): string | null {
  const code = typed.toUpperCase().replace(/[\s-]/g, "").replace(/O/g, "0").replace(/[IL]/g, "1");
  return /^[0-9A-HJKMNP-TV-Z]{10}$/.test(code) ? code : null;
}
