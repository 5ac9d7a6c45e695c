/** Reading a run of QR codes from another phone: records to carry, or receipts that somebody brings back. */
import { useEffect, useRef, useState } from "preact/hooks";
import type { CodeReader } from "../../data/contract.ts";
import { type CameraProblem, openCamera } from "../camera.ts";
import { useApp, useExplain, useWork } from "../context.ts";
import { Button, Screen, Warning } from "../parts.tsx";
import { said } from "../taken.ts";
import { back } from "../trail.ts";

const PROBLEMS: readonly unknown[] = ["denied", "none", "busy"] satisfies CameraProblem[];

/** What the last code came to. */
type Seen = { readonly read: number; readonly of: number } | "foreign" | "broken" | null;

export function Scan() {
  const { field, say, tell } = useApp();
  const explain = useExplain();
  const [busy, work] = useWork();
  const [open, setOpen] = useState(false);
  const [seen, setSeen] = useState<Seen>(null);
  const [wrong, setWrong] = useState<CameraProblem | null>(null);
  const video = useRef<HTMLVideoElement>(null);
  // Parts that were read stay, though the camera is closed in between.
  const reader = useRef<CodeReader | null>(null);
  const close = useRef(() => {});
  const gone = useRef(false);
  const shut = () => {
    close.current();
    close.current = () => {};
    setOpen(false);
  };

  const hear = async (text: string) => {
    reader.current ??= (await field.courier()).reader();
    const heard = await reader.current.hear(text);
    if (heard.kind === "part") return setSeen({ read: heard.read, of: heard.of });
    if (heard.kind !== "whole") return setSeen(heard.kind);
    shut();
    navigator.vibrate?.(200);
    setSeen({ read: heard.of, of: heard.of });
    try {
      tell(...said(await (await field.courier()).take(heard.text), say));
      if (!gone.current) back();
    } catch (error) {
      reader.current = null; // nothing of it was taken: the codes may be read again
      setSeen(null);
      explain(error);
    }
  };
  const begin = () =>
    work(async () => {
      const where = video.current;
      if (!where) return;
      setWrong(null);
      try {
        const end = await openCamera(where, (text) => hear(text).catch(explain), shut);
        close.current = end;
        // The person may have left while the browser asked whether the camera may be used.
        if (gone.current || document.visibilityState === "hidden") return shut();
        setOpen(true);
      } catch (error) {
        if (!PROBLEMS.includes(error)) throw error;
        setWrong(error as CameraProblem);
      }
    });
  useEffect(() => {
    const hidden = () => document.visibilityState === "hidden" && shut();
    document.addEventListener("visibilitychange", hidden);
    return () => {
      gone.current = true;
      document.removeEventListener("visibilitychange", hidden);
      close.current();
    };
  }, []);

  return (
    <Screen
      back
      title={say("scan.title")}
      actions={
        open ? (
          <Button onClick={shut}>{say("scan.close")}</Button>
        ) : (
          <Button main busy={busy} onClick={begin}>
            {say("scan.open")}
          </Button>
        )
      }
    >
      {wrong && <Warning>{say(`scan.${wrong}`)}</Warning>}
      <video
        class={open ? "sight" : "sight closed"}
        ref={video}
        playsInline
        muted
        autoPlay
        aria-label={say("scan.sight")}
      />
      <div role="status" class="sight-said">
        {seen === "foreign" || seen === "broken" ? (
          <p class="wrong">{say(`scan.${seen}`)}</p>
        ) : (
          seen && <p>{say("scan.read", seen)}</p>
        )}
      </div>
      <p>{say(open ? "scan.hold" : "scan.explain")}</p>
    </Screen>
  );
}
