/** What every screen may reach: the data, the words, the news line; and how it follows both. */
import { createContext } from "preact";
import { useCallback, useContext, useEffect, useRef, useState } from "preact/hooks";
import type { Say } from "../core/wording.ts";
import type { Key } from "../core/words/vi.ts";
import { type Field, FieldError } from "../data/contract.ts";

export interface News {
  readonly message: string;
  /** Milliseconds: what was told just before a screen is left is told on the next one too. */
  readonly since: number;
  /** gone: what the screen shows is not there any more; the sentence stands in its place. */
  readonly kind: "done" | "wrong" | "gone";
}

export interface App {
  readonly field: Field;
  readonly say: Say;
  /** Tells the person what happened, aloud to a screen reader too. */
  tell(message: string, kind?: News["kind"]): void;
  /** What was told last, while it stands. */
  readonly news: News | null;
  dismiss(): void;
}

export const AppContext = createContext<App | null>(null);

export function useApp(): App {
  const app = useContext(AppContext);
  if (!app) throw new Error("a screen outside of the app");
  return app;
}

/** Locked in between, revoked, or cleared away while it was read: this screen gives way to another that says so. */
const isOver = (error: unknown): boolean =>
  error instanceof FieldError
    ? error.code === "locked"
    : error instanceof DOMException && error.name === "InvalidStateError";

/** What a load gave; it loads again when something changed in the data. Undefined while the first one runs. */
export function useLoad<T>(
  load: (field: Field) => Promise<T>,
  inputs: readonly unknown[] = [],
): T | undefined {
  const { field } = useApp();
  const explain = useExplain();
  const [value, set] = useState<T>();
  // The inputs are the caller's list of what `load` closes over, as in useEffect.
  const latest = useRef(load);
  latest.current = load;
  useEffect(() => {
    let on = true;
    const run = () =>
      latest.current(field).then(
        (loaded) => on && set(loaded),
        (error) => on && explain(error, "gone"),
      );
    run();
    const end = field.onChange(run);
    return () => {
      on = false;
      end();
    };
  }, inputs);
  return value;
}

/**
 * Says an error in words; one that nobody foresaw goes to the console too, for whoever looks into it. With `gone`, it
 * came of reading what the screen is about: where that is missing there is nothing else to show.
 */
export function useExplain(): (error: unknown, gone?: "gone") => void {
  const { say, tell } = useApp();
  return useCallback(
    (error: unknown, gone?: "gone") => {
      if (gone && isOver(error)) return;
      if (error instanceof FieldError) {
        const values = error.detail === null ? {} : { detail: error.detail };
        const kind = (error.code === "missing" && gone) || "wrong";
        return tell(say(`error.${error.code}` as Key, values), kind);
      }
      console.error(error);
      tell(say("error.unknown"), "wrong");
    },
    [say, tell],
  );
}

/** A button's work: once at a time, errors said in words. Returns whether it runs, and the function to call. */
export function useWork(): [busy: boolean, work: (task: () => Promise<void>) => void] {
  const explain = useExplain();
  const [busy, set] = useState(false);
  const running = useRef(false);
  const work = (task: () => Promise<void>) => {
    if (running.current) return;
    running.current = true;
    set(true);
    task()
      .catch(explain)
      .finally(() => {
        running.current = false;
        set(false);
      });
  };
  return [busy, work];
}
