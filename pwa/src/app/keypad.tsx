/** Six digits by large keys: no keyboard slides over the screen, and nothing is shown but how many. */
import { useEffect, useState } from "preact/hooks";
import { useApp } from "./context.ts";

const LENGTH = 6;
const DIGITS = ["1", "2", "3", "4", "5", "6", "7", "8", "9", "", "0", "⌫"];

export function Keypad({ onPin, busy }: { readonly onPin: (pin: string) => void; readonly busy: boolean }) {
  const { say } = useApp();
  const [pin, set] = useState("");
  const press = (key: string) => {
    if (busy) return;
    if (key === "⌫") return set(pin.slice(0, -1));
    const next = pin + key;
    set(next.length === LENGTH ? "" : next);
    if (next.length === LENGTH) onPin(next);
  };
  useEffect(() => {
    const typed = (event: KeyboardEvent) => {
      if (/^\d$/.test(event.key)) press(event.key);
      else if (event.key === "Backspace") press("⌫");
    };
    addEventListener("keydown", typed);
    return () => removeEventListener("keydown", typed);
  });
  return (
    <div class="keypad">
      <p class="dots" role="status" aria-label={say("pin.entered", { n: pin.length })}>
        <span aria-hidden="true">{"●".repeat(pin.length) + "○".repeat(LENGTH - pin.length)}</span>
      </p>
      <div class="keys">
        {DIGITS.map((key) =>
          key === "" ? (
            <span key="gap" />
          ) : (
            <button
              type="button"
              key={key}
              aria-label={key === "⌫" ? say("pin.delete") : key}
              aria-disabled={busy}
              onClick={() => press(key)}
            >
              {key}
            </button>
          ),
        )}
      </div>
    </div>
  );
}
