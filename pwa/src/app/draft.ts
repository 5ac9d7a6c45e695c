/** A form's values that outlive the app: kept at each change, forgotten when the form is left or saved. */
import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { useApp, useExplain } from "./context.ts";

/**
 * The values of the form `name`: as they were left when the app was ended in the middle, else `fresh`. Undefined
 * until they are read. Leaving the form by any way but the app's end forgets them.
 */
export function useDraft<T extends object>(
  name: string,
  fresh: () => Promise<T>,
): [value: T | undefined, change: (part: Partial<T>) => void] {
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
    Promise.all([fresh(), field.draft(name)])
      .then(([begun, kept]) => {
        if (!on) return;
        // A draft of an older version may lack a value.
        latest.current = { ...begun, ...(kept as Partial<T> | null) };
        set(latest.current);
      })
      .catch(explain);
    return () => {
      on = false;
      keep(null);
    };
  }, [name]);
  const change = (part: Partial<T>) => {
    if (!latest.current) return;
    latest.current = { ...latest.current, ...part };
    set(latest.current);
    keep(latest.current);
  };
  return [value, change];
}
