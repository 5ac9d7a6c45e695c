/**
 * What the data layer needs from the world. All of it is passed in, so that the same code runs in a browser, in
 * the service worker, and in Node with a fake IndexedDB and a clock of the test's own.
 */
import type { Marks } from "./loss.ts";

export interface Env {
  /** The wall clock, milliseconds since 1970. It may be wrong; see clock.ts. */
  now(): number;
  /** So many random bytes, fit for keys. */
  random(length: number): Bytes;
  readonly subtle: SubtleCrypto;
  readonly indexedDB: IDBFactory;
  fetch(path: string, init: RequestInit): Promise<Response>;
  /** Bytes that an answer from a path took on the link, compressed; null where the browser does not tell. */
  transferred(path: string): Promise<number | null>;
  /** Runs `work` while no other tab or worker runs any under this name; null if another one does. */
  alone<T>(name: string, work: () => Promise<T>): Promise<T | null>;
  /** Tells the other tabs that something changed, and hears them. */
  readonly channel: Channel;
  /** Calls once after so many milliseconds. Returns the function that calls it off. */
  after(ms: number, call: () => void): () => void;
  /** Whether the browser is sure that there is no link at all. */
  offline(): boolean;
  /** Whether the link looks weak or metered: uploads then go in small batches. */
  weakLink(): boolean;
  /** Whether bytes may cost money here: no Wi-Fi, or nobody knows. */
  metered(): boolean;
  /** Makes a picture small, narrower by `less` pixels, and strips it of all but those. Raises FieldError `bad_picture`. */
  shrink(picture: Blob, less: number): Promise<Shrunk>;
  /** Asks for Background Sync, where there is one. */
  wake(): void;
  /** vi or en: the language in which the server gives its reasons. */
  language(): string;
  readonly device: DeviceFacts;
  /** Kept apart from IndexedDB, so that it can tell what went missing there; see loss.ts. */
  readonly marks: { read(): Marks; write(marks: Marks): void };
}

export interface Channel {
  post(message: string): void;
  listen(hear: (message: string) => void): () => void;
}

/** What only a browser can know; the tests answer for themselves. */
export interface DeviceFacts {
  secure(): boolean;
  persist(): Promise<boolean>;
  estimate(): Promise<{ readonly used: number | null; readonly quota: number | null }>;
  inApp(): string | null;
  ios(): boolean;
  installed(): boolean;
}

/** A picture made small: at most 150,000 bytes, and a thumbnail of the same type. */
export interface Shrunk {
  readonly bytes: Bytes;
  readonly mime: "image/webp" | "image/jpeg";
  readonly width: number;
  readonly height: number;
  readonly thumb: Bytes;
}

export type Bytes = Uint8Array<ArrayBuffer>;
