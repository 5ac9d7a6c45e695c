/** A form's values that outlive the app: kept at each change, forgotten when the form is left or saved. */
import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { useApp, useExplain } from "./context.ts";

/** Some values, or what makes them of those that stand by now: work that took a while needs the latter. */
export type Change<T> = (part: Partial<T> | ((now: T) => Partial<T>)) => void;

/**
 * The values of the form `name`: as they were left when the app was ended in the middle (`kept`), else `fresh`.
 * Undefined until they are read. Leaving the form by any way but the app's end forgets them, unless it `stays`:
 * then the form itself forgets them when they are saved. `laid`: what was kept, upon what the form begins with.
 */
export function useDraft<T extends object>(
  name: string,
  fresh: (kept: T | null) => Promise<T>,
  stays = false,
  // A draft of an older version may lack a value.
  laid: (begun: T, kept: T | null) => T = (begun, kept) => ({ ...begun, ...kept }),
): [value: T | undefined, change: Change<T>, forget: () => Promise<void>] {
  const { field } = useApp();
  const explain = useExplain();
  const [value, set] = useState<T>();
  const latest = useRef<T | undefined>(undefined);
  // One write after the other: the last value must be the one that stays.
  const writes = useRef(Promise.resolve());
  const keep = useCallback(
    (kept: T | null) => {
      // A draft that cannot be kept is no reason to stop who is writing: the save itself will say what is wrong.
      writes.current = writes.current.then(() => field.keepDraft(name, kept)).catch(() => {});
    },
    [field, name],
  );
  useEffect(() => {
    let on = true;
    const read = async () => {
      const kept = (await field.draft(name)) as T | null;
      const begun = await fresh(kept);
      if (!on) return;
      latest.current = laid(begun, kept);
      set(latest.current);
    };
    const failed = (error: unknown) => on && explain(error, "gone");
    read().catch(failed);
    // What was erased does not stay on the screen, whoever is typing.
    const end = field.onChange(() => field.draft(name).catch(failed));
    return () => {
      on = false;
      end();
      if (!stays) keep(null);
    };
  }, [name]);
  const change: Change<T> = (part) => {
    const now = latest.current;
    if (!now) return;
    latest.current = { ...now, ...(typeof part === "function" ? part(now) : part) };
    set(latest.current);
    keep(latest.current);
  };
  const forget = () => {
    keep(null);
    return writes.current;
  };
  return [value, change, forget];
}
