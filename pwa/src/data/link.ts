/** Requests to the server: limits in time, compression, and what can go wrong told apart. */
import { isObject } from "../core/json.ts";
import { gzip, utf8 } from "./bytes.ts";
import type { Bytes, Env } from "./env.ts";
import { BadAnswer } from "./wire.ts";

/** No answer, or one that broke off. */
export class NoLink extends Error {
  constructor(
    /** Whether the server had begun to answer. */
    readonly begun: boolean,
  ) {
    super(begun ? "the link was cut" : "no answer");
  }
}

/** An error of the server for the whole request: its status and the name that it gives the error. */
export class Refused extends Error {
  constructor(
    readonly status: number,
    readonly error: string,
    /** The server's sentence for a person, "" where it gave none. */
    readonly reason = "",
  ) {
    super(`${status} ${error}`);
  }
}

/** How long a link may be silent before it counts as cut. A slow link is not a silent one. */
const SILENCE = 60_000;

export interface Answer {
  readonly response: Response;
  /** To be called once, when the body has been read or has broken off. */
  end(): void;
  /** Called at each sign of life, with the bytes that it brought. */
  alive(bytes: number): void;
}

/** A body ready to travel. */
export interface Body {
  readonly bytes: Bytes;
  readonly encoding: "gzip" | null;
}

export async function body(text: string): Promise<Body> {
  const plain = utf8(text);
  const packed = await gzip(plain);
  return packed ? { bytes: packed, encoding: "gzip" } : { bytes: plain, encoding: null };
}

interface Sending {
  readonly method?: "GET" | "HEAD" | "POST" | "PUT";
  readonly credential?: string;
  readonly type?: "application/json" | "text/plain" | "image/webp" | "image/jpeg";
  /** Where these bytes stand in the whole: Content-Range. */
  readonly range?: string;
  readonly body?: Body;
  /** Hears what the request cost, in bytes. */
  readonly meter?: (bytes: number) => void;
}

/** Sends one request. Raises NoLink, or Refused for a status that is no success. */
export async function send(env: Env, path: string, how: Sending): Promise<Answer> {
  const { method = "POST", credential, type = "application/json", body, meter } = how;
  const stop = new AbortController();
  const silent = () => stop.abort();
  let endTimer = env.after(SILENCE, silent);
  let read = 0;
  const end = () => {
    endTimer();
    if (meter)
      env.transferred(path).then(
        (size) => meter((body?.bytes.length ?? 0) + (size ?? read)),
        () => {},
      );
  };
  const alive = (bytes: number) => {
    read += bytes;
    endTimer();
    endTimer = env.after(SILENCE, silent);
  };
  // Each header costs its bytes on every request: Accept says nothing here that the path does not.
  const headers: Record<string, string> = { "Accept-Language": env.language() };
  if (credential) headers.Authorization = `Bearer ${credential}`;
  if (body) headers["Content-Type"] = type;
  if (how.range) headers["Content-Range"] = how.range;
  if (body?.encoding) headers["Content-Encoding"] = body.encoding;
  let response: Response;
  try {
    response = await env.fetch(path, {
      ...{ method, headers, signal: stop.signal, credentials: "omit", referrerPolicy: "no-referrer" },
      // A POST is not cached anyway, and saying so would cost two headers.
      ...(method === "GET" ? { cache: "no-store" } : {}),
      ...(body ? { body: body.bytes } : {}),
    });
  } catch {
    end();
    throw new NoLink(false);
  }
  if (response.ok) return { response, end, alive };
  const { error, reason } = await told(response).finally(end);
  throw new Refused(response.status, error, reason);
}

/** Sends one request and reads its answer as JSON. Raises NoLink, Refused, BadAnswer. */
export async function ask(env: Env, path: string, how: Sending): Promise<unknown> {
  const { response, alive, end } = await send(env, path, how);
  try {
    const text = await response.text();
    alive(text.length);
    return JSON.parse(text);
  } catch (error) {
    throw error instanceof SyntaxError ? new BadAnswer("no JSON") : new NoLink(true);
  } finally {
    end();
  }
}

async function told(response: Response): Promise<{ error: string; reason: string }> {
  const text = (value: unknown) => (typeof value === "string" ? value : "");
  try {
    const value: unknown = JSON.parse(await response.text());
    if (isObject(value)) return { error: text(value.error), reason: text(value.reason) };
  } catch {
    // a proxy's page, perhaps; the status says enough
  }
  return { error: "", reason: "" };
}

/** The lines of an answer as they come. Raises NoLink where it breaks off. */
export async function* lines(answer: Answer): AsyncGenerator<string> {
  const reader = answer.response.body?.getReader();
  if (!reader) throw new NoLink(true);
  const decoder = new TextDecoder();
  let rest = "";
  let whole = false;
  try {
    for (;;) {
      const { done, value } = await reader.read().catch(() => {
        throw new NoLink(true);
      });
      whole = done;
      if (done) return; // what stands in `rest` has no line end: a part that was cut
      answer.alive(value.length);
      rest += decoder.decode(value, { stream: true });
      const found = rest.split("\n");
      rest = found.pop() ?? "";
      for (const line of found) if (line) yield line;
    }
  } finally {
    answer.end();
    if (!whole) reader.cancel().catch(() => {});
  }
}
