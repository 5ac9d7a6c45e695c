/** What the register screens have in common. */
import type { ComponentChildren } from "preact";
import { useId } from "preact/hooks";
import { print } from "../../../core/route.ts";
import { date, localDay } from "../../../core/wording.ts";
import type { InspectionRow, Registers, Subject } from "../../../data/registers/contract.ts";
import { useApp, useLoad } from "../../context.ts";
import { WhereMark } from "../../parts.tsx";

/** `useLoad` over the registers. */
export function useRegisters<T>(
  load: (registers: Registers) => Promise<T>,
  inputs: readonly unknown[] = [],
): T | undefined {
  return useLoad(async (field) => load(await field.registers()), inputs);
}

/** When something was inspected last, and what is to be done since. */
export function Inspected({ subject }: { readonly subject: Subject }) {
  const { say } = useApp();
  const [last] = subject.inspections;
  return (
    <>
      <span class="place">
        {last ? say("subject.last", { date: date(last.date) }) : say("subject.never")}
      </span>
      {subject.todo && <Todo {...subject.todo} />}
    </>
  );
}

function Todo({ what, due }: { readonly what: string; readonly due: string }) {
  const { say } = useApp();
  const late = due < localDay(Date.now());
  return (
    <span class={late ? "late" : "outcome come_back"}>
      {late && <span aria-hidden="true">⚠ </span>}
      {say(late ? "subject.late" : "subject.todo", { due: date(due), what })}
    </span>
  );
}

/** All inspections of a model or a unit, newest first. */
export function History({
  hamlet,
  inspections,
}: {
  readonly hamlet: string;
  readonly inspections: readonly InspectionRow[];
}) {
  const { say } = useApp();
  return (
    <>
      <h2>{say("subject.history")}</h2>
      {inspections.length === 0 && <p>{say("subject.never")}</p>}
      <ol class="rows">
        {inspections.map((one) => (
          <li key={one.id}>
            <a class="row" href={print({ at: "inspection", hamlet, id: one.id })}>
              <strong>{date(one.date)}</strong>
              <span class="place">{say(one.mine ? "act.by_me" : "act.by_other")}</span>
              <WhereMark where={one.where} />
              {one.followUp && !one.followUp.done && <Todo {...one.followUp} />}
            </a>
          </li>
        ))}
      </ol>
    </>
  );
}

interface LinesProps {
  readonly label: ComponentChildren;
  readonly hint: string;
  readonly value: string;
  readonly onInput: (value: string) => void;
  readonly wrong?: string | null;
}

const MOST = 200;

/** A few lines of free text, with the warning to name nobody and what room is left. */
export function Lines({ label, hint, value, onInput, wrong }: LinesProps) {
  const { say } = useApp();
  const id = useId();
  const left = MOST - [...value].length;
  return (
    <div class="box">
      <label for={id}>{label}</label>
      <p class="hint" id={`${id}-hint`}>
        {hint}
      </p>
      <textarea
        id={id}
        rows={3}
        maxLength={MOST}
        value={value}
        aria-invalid={Boolean(wrong)}
        aria-describedby={wrong ? `${id}-hint ${id}-wrong` : `${id}-hint`}
        onInput={(event) => onInput(event.currentTarget.value)}
      />
      {left < 50 && <p class="hint">{say("inspection.left", { n: Math.max(0, left) })}</p>}
      {wrong && (
        <p class="wrong" id={`${id}-wrong`}>
          {wrong}
        </p>
      )}
    </div>
  );
}

/** To the first thing that is said to be wrong, once it stands there: on a long form it may be out of sight. */
export function toFirstWrong(): void {
  requestAnimationFrame(() => {
    const said = document.querySelector("main .wrong");
    said?.scrollIntoView({ block: "center" });
    said?.parentElement?.querySelector<HTMLElement>("input, textarea")?.focus({ preventScroll: true });
  });
}
