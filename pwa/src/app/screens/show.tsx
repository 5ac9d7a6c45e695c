/**
 * A run of QR codes for another phone's camera: the codes follow each other slowly, and by hand. What stays on this
 * phone is said, and nothing counts as handed over before the person says that it was read.
 */

import { useEffect, useState } from "preact/hooks";
import encodeQR from "qr";
import type { CodeRun } from "../../data/contract.ts";
import { useApp, useExplain, useWork } from "../context.ts";
import { Button, Screen } from "../parts.tsx";
import { back } from "../trail.ts";

/** Milliseconds for each code: time for a camera to find its focus. */
const EACH = 3_000;

export function Show({ what }: { readonly what: "records" | "receipts" }) {
  const { field, say, tell } = useApp();
  const explain = useExplain();
  const [busy, work] = useWork();
  const [run, set] = useState<CodeRun | null>();
  // How many receipts the runs before this one held.
  const [after, setAfter] = useState(0);
  useAwake();
  const load = async (from: number) => {
    const courier = await field.courier();
    set(what === "records" ? await courier.recordCodes() : await courier.receiptCodes(from));
    setAfter(from);
  };
  useEffect(() => {
    load(0).catch(explain);
  }, []);
  const read = () =>
    work(async () => {
      if (!run) return;
      if (what === "records") await (await field.courier()).handedOver(run.given);
      if (run.left > 0) await load(after + run.count);
      else {
        if (what === "records") tell(say("courier.handed"));
        back();
      }
    });

  const title = say(what === "records" ? "codes.title" : "codes.receipts.title");
  if (!run)
    return (
      <Screen back title={title}>
        {run === null && <p>{say("codes.none")}</p>}
      </Screen>
    );
  return (
    <Screen
      back
      title={title}
      actions={
        <Button main busy={busy} onClick={read}>
          {say(run.left > 0 ? "codes.next_run" : "codes.read", { n: run.left })}
        </Button>
      }
    >
      <Codes key={run.codes[0]} codes={run.codes} />
      {run.strokes > 0 && <p>{say("codes.strokes", { n: run.strokes })}</p>}
      {run.large > 0 && <p>{say("codes.large", { n: run.large })}</p>}
      <p>{say(`codes.${what}.hold`, { n: run.count })}</p>
    </Screen>
  );
}

/** One code after the other: by itself until somebody stops it, and by hand. */
function Codes({ codes }: { readonly codes: readonly string[] }) {
  const { say } = useApp();
  const [at, set] = useState(0);
  const [going, setGoing] = useState(codes.length > 1);
  const turn = (by: number) => set((old) => (old + by + codes.length) % codes.length);
  useEffect(() => {
    if (!going) return;
    const timer = setTimeout(() => turn(1), EACH);
    return () => clearTimeout(timer);
  }, [going, at]);
  const place = say("codes.place", { n: at + 1, of: codes.length });
  return (
    <div class="codes">
      <Code text={codes[at] ?? ""} label={place} />
      <p class="codes-place">{place}</p>
      {codes.length > 1 && (
        <div class="codes-hand">
          <Button onClick={() => turn(-1)}>{say("codes.back")}</Button>
          <Button onClick={() => setGoing(!going)}>{say(going ? "codes.stop" : "codes.go")}</Button>
          <Button onClick={() => turn(1)}>{say("codes.forward")}</Button>
        </div>
      )}
    </div>
  );
}

/** A code, black on white whatever the colours around it, with the quiet zone of four modules that it needs. */
function Code({ text, label }: { readonly text: string; readonly label: string }) {
  const drawn = encodeQR(text, "raw", { ecc: "low", encoding: "alphanumeric", border: 4 });
  const runs = drawn.flatMap((row, y) => rowOf(row).map(([x, n]) => `M${x} ${y}h${n}v1h-${n}z`));
  return (
    <svg
      class="code"
      viewBox={`0 0 ${drawn.length} ${drawn.length}`}
      role="img"
      aria-label={label}
      shape-rendering="crispEdges"
    >
      <rect width="100%" height="100%" fill="#fff" />
      <path d={runs.join("")} fill="#000" />
    </svg>
  );
}

/** Where dark modules of a row begin, and how many follow each other. */
function rowOf(row: readonly boolean[]): [x: number, n: number][] {
  const found: [number, number][] = [];
  for (const [x, dark] of row.entries()) {
    const last = found[found.length - 1];
    if (dark && last && last[0] + last[1] === x) last[1] += 1;
    else if (dark) found.push([x, 1]);
  }
  return found;
}

/** The screen stays lit while codes are shown, where the browser knows how. */
function useAwake(): void {
  useEffect(() => {
    let on = true;
    let lock: WakeLockSentinel | null = null;
    const ask = async () => {
      if (document.visibilityState !== "visible" || !("wakeLock" in navigator)) return;
      const got = await navigator.wakeLock.request("screen").catch(() => null); // a weak battery: it goes dark
      if (on) lock = got;
      else got?.release();
    };
    ask();
    document.addEventListener("visibilitychange", ask);
    return () => {
      on = false;
      lock?.release();
      document.removeEventListener("visibilitychange", ask);
    };
  }, []);
}
