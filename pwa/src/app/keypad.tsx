/** Six digits by large keys: no keyboard slides over the screen, and nothing is shown but how many. */
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { useApp } from "./context.ts";

const LENGTH = 6;
const DIGITS = ["1", "2", "3", "4", "5", "6", "7", "8", "9", "", "0", "⌫"];

export function Keypad({ onPin, busy }: { readonly onPin: (pin: string) => void; readonly busy: boolean }) {
  const { say } = useApp();
  const [length, setLength] = useState(0);
  // A quick thumb presses twice between two renders: the digits must not depend on what is on the screen.
  const pin = useRef("");
  const press = (key: string) => {
    if (busy) return;
    const next = key === "⌫" ? pin.current.slice(0, -1) : pin.current + key;
    pin.current = next.length === LENGTH ? "" : next;
    setLength(pin.current.length);
    if (next.length === LENGTH) onPin(next);
  };
  // With the drawing and not after it: who types the PIN again at once must not lose a digit.
  useLayoutEffect(() => {
    const typed = (event: KeyboardEvent) => {
      if (/^\d$/.test(event.key)) press(event.key);
      else if (event.key === "Backspace") press("⌫");
    };
    addEventListener("keydown", typed);
    return () => removeEventListener("keydown", typed);
  });
  return (
    <div class="keypad">
      <p class="dots" role="status" aria-label={say("pin.entered", { n: length })}>
        <span aria-hidden="true">{"●".repeat(length) + "○".repeat(LENGTH - length)}</span>
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
