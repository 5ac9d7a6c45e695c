/**
 * A run of QR codes: bytes that one phone shows and another one's camera reads, in parts that may come in any order,
 * again and again, and mixed with those of another run.
 *
 *   "CK1:" base45( run 8 bytes | which, from 0 | of how many | CRC-32 of all the rest, 4 bytes | piece )
 *
 * Base45 (RFC 9285), since a browser's own reader gives text alone: bytes would not come through it. All of the
 * alphabet is in the alphanumeric mode of QR codes, where two bytes take 16.5 bits; base64 in byte mode takes 21.3,
 * Crockford's base32 17.6. No text of it begins or ends with its space (a last digit is at most "W"), so a reader
 * that trims does no harm. The run is known by a digest of its bytes: whoever joins it proves it by that.
 *
 * How much a code holds: at most version 17 (85 modules) at level L. On a screen 360 px (62 mm) wide, with the quiet
 * zone, a module is 3.9 px or 0.67 mm; a cheap camera at 1280 × 720 that the code fills by two thirds sees it with 5
 * px, and decoders want 3. Level L, since a screen is neither dirty nor torn, and what spoils a picture of it (blur,
 * distance, slant) is mended by larger modules rather than by more of them. That is 938 characters: 608 bytes of a run.
 * Of pictures that were made blurred, noisy and very slanted our own decoder read 35 of 36 at version 15, 26 at 17, 22
 * at 18 (and at level M 24 of version 18, where level L of version 16 holds as much: 28); a camera gives ten a second.
 * With version 15 twenty pledges would take seven codes in place of six.
 */

/** The largest code, and how it is drawn. */
export const VERSION = 17;
const PREFIX = "CK1:";
const CHARACTERS = 938;
const HEAD = 8 + 1 + 1 + 4;
/** Bytes of a run that one code holds. */
export const PIECE = Math.floor((CHARACTERS - PREFIX.length) / 3) * 2 - HEAD;
/** Of more codes nobody would hold a phone still; more than anything that is shown here. */
export const MOST = 12;
/** Runs that are put together at once: somebody began one and turned to another. */
const RUNS = 4;

const ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:";

type Bytes = Uint8Array<ArrayBuffer>;

/** The codes of a run, as text. `run`: 8 bytes that name it. All hold about as much, so all are equally easy to read. */
export function split(run: Uint8Array, whole: Uint8Array): string[] {
  const of = Math.max(1, Math.ceil(whole.length / PIECE));
  if (run.length !== 8 || of > 255) throw new RangeError("no run of codes");
  const size = Math.ceil(whole.length / of);
  return Array.from({ length: of }, (_, which) => {
    const piece = whole.subarray(which * size, (which + 1) * size);
    const code = new Uint8Array(HEAD + piece.length);
    code.set(run);
    code.set([which, of], 8);
    code.set(piece, HEAD);
    new DataView(code.buffer).setUint32(10, check(code));
    return PREFIX + base45(code);
  });
}

/** One part, as it was read. */
interface Part {
  readonly run: string;
  readonly which: number;
  readonly of: number;
  readonly piece: Bytes;
}

/**
 * What came of a code. foreign: none of Camket's. broken: one of Camket's, but changed, or of a newer app. part: `read`
 * parts `of` so many are here; `whole` once that is all of them, in order.
 */
export type Heard =
  | { readonly kind: "foreign" | "broken" }
  | {
      readonly kind: "part";
      readonly run: string;
      readonly fresh: boolean;
      readonly read: number;
      readonly of: number;
      readonly whole: Bytes | null;
    };

/** Puts runs together. */
export class Runs {
  private readonly runs = new Map<string, Map<number, Part>>();

  hear(text: string): Heard {
    const part = parse(text);
    if (typeof part === "string") return { kind: part };
    const { run, which, of } = part;
    const parts = this.runs.get(run) ?? new Map<number, Part>();
    const others = [...parts.values()];
    const known = parts.get(which);
    if (others.some((other) => other.of !== of) || (known && !same(known.piece, part.piece)))
      return { kind: "broken" };
    parts.set(which, part);
    this.runs.delete(run);
    this.runs.set(run, parts); // the one that was read last is the last to be forgotten
    for (const old of [...this.runs.keys()].slice(0, -RUNS)) this.runs.delete(old);
    const whole = parts.size === of ? joined(parts, of) : null;
    return { kind: "part", run, fresh: !known, read: parts.size, of, whole };
  }

  /** What was put together was not what it should be: everything of that run is to be read again. */
  forget(run: string): void {
    this.runs.delete(run);
  }
}

function parse(text: string): Part | "foreign" | "broken" {
  const read = text.trim();
  if (!/^CK\d:/.test(read)) return "foreign";
  const bytes = read.startsWith(PREFIX) ? fromBase45(read.slice(PREFIX.length)) : null;
  if (!bytes || bytes.length <= HEAD) return "broken";
  const view = new DataView(bytes.buffer);
  const [which = 0, of = 0] = bytes.subarray(8, 10);
  if (view.getUint32(10) !== check(bytes) || which >= of || of > MOST) return "broken";
  const run = [...bytes.subarray(0, 8)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return { run, which, of, piece: bytes.slice(HEAD) };
}

function joined(parts: ReadonlyMap<number, Part>, of: number): Bytes {
  const pieces = Array.from({ length: of }, (_, which) => (parts.get(which) as Part).piece);
  const whole = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}

const same = (a: Bytes, b: Bytes) => a.length === b.length && a.every((byte, at) => byte === b[at]);

/** CRC-32 (ISO 3309) of a code without the four bytes where it stands itself. */
function check(code: Uint8Array): number {
  let crc = 0xffffffff;
  for (const [at, byte] of code.entries()) {
    if (at >= 10 && at < HEAD) continue;
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  }
  return (crc ^ 0xffffffff) >>> 0;
}

/** RFC 9285. */
export function base45(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.length; at += 2) {
    const [high = 0, low] = bytes.subarray(at, at + 2);
    let n = low === undefined ? high : high * 256 + low;
    for (let digits = low === undefined ? 2 : 3; digits > 0; digits--) {
      text += ALPHABET[n % 45];
      n = Math.floor(n / 45);
    }
  }
  return text;
}

/** Back from base45; null for what is none. */
export function fromBase45(text: string): Bytes | null {
  const bytes: number[] = [];
  for (let at = 0; at < text.length; at += 3) {
    const digits = [...text.slice(at, at + 3)].map((char) => ALPHABET.indexOf(char));
    if (digits.length < 2 || digits.includes(-1)) return null;
    const n = digits.reduceRight((sum, digit) => sum * 45 + digit, 0);
    if (n > (digits.length === 3 ? 0xffff : 0xff)) return null;
    if (digits.length === 3) bytes.push(n >> 8);
    bytes.push(n & 0xff);
  }
  return new Uint8Array(bytes);
}
