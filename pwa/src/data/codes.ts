/**
 * What the courier's files hold, as a run of QR codes: the very text of the file, gzip over it. So whatever a file can
 * carry a run can, and what was read goes the way of a file that was taken.
 */
import { Runs, split } from "../core/codes.ts";
import { fromUtf8, gunzip, gzip, hex, utf8 } from "./bytes.ts";
import type { CodeHeard, CodeReader } from "./contract.ts";
import type { Bytes, Env } from "./env.ts";

type Subtle = Pick<Env, "subtle">;

/** Of a text that came in codes; a run of ours has a fiftieth of that. */
const LARGEST = 500_000;

/** The codes for a text; null where this browser has no gzip. */
export async function codesOf(env: Subtle, text: string): Promise<string[] | null> {
  const whole = await gzip(utf8(text));
  return whole && split(await nameOf(env, whole), whole);
}

/** The first eight bytes of its SHA-256. */
async function nameOf({ subtle }: Subtle, whole: Bytes): Promise<Bytes> {
  return new Uint8Array(await subtle.digest("SHA-256", whole)).slice(0, 8);
}

/** Reads codes, of several runs at once where that is what the camera sees. */
export class Reading implements CodeReader {
  private readonly runs = new Runs();

  constructor(private readonly env: Subtle) {}

  async hear(code: string): Promise<CodeHeard> {
    const heard = this.runs.hear(code);
    if (heard.kind !== "part") return heard;
    const { read, of, fresh, whole, run } = heard;
    if (!whole) return { kind: "part", read, of, fresh };
    const text = await this.#text(run, whole).catch(() => null); // no gzip, or no text
    if (text !== null) return { kind: "whole", of, text };
    this.runs.forget(run);
    return { kind: "broken" };
  }

  /** Raises where the bytes are not what the run is named after. */
  async #text(run: string, whole: Bytes): Promise<string> {
    if (hex(await nameOf(this.env, whole)) !== run) throw new Error("not the run that it says it is");
    return fromUtf8(await gunzip(whole, LARGEST));
  }
}
