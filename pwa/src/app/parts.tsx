/** The pieces that screens are made of. */
import type { ComponentChildren } from "preact";
import { useEffect, useId, useRef } from "preact/hooks";
import type { Outcome } from "../core/outcome.ts";
import { date, weekday } from "../core/wording.ts";
import type { Key } from "../core/words/vi.ts";
import type { HouseholdRow, ReviewView, Where } from "../data/contract.ts";
import { useApp } from "./context.ts";
import { back as goBack } from "./trail.ts";

interface ScreenProps {
  readonly title: string;
  /** Shows a way back in the bar. */
  readonly back?: boolean;
  readonly children: ComponentChildren;
  /** Main actions, at the bottom within the thumb's reach. */
  readonly actions?: ComponentChildren;
  /** Two actions of equal weight, next to each other. */
  readonly pair?: boolean;
  /** The screen itself puts the person back where they were: neither the focus nor the page moves. */
  readonly resumed?: boolean;
}

/** A whole screen: its heading takes the focus when it opens, so that a screen reader says where one is. */
export function Screen({ title, back, children, actions, pair = false, resumed = false }: ScreenProps) {
  const { say, news, dismiss } = useApp();
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    document.title = `${title} – Camket`;
    if (resumed) return;
    heading.current?.focus({ preventScroll: true });
    scrollTo(0, 0);
  }, [title]);
  return (
    <>
      <header class="top">
        <div class="bar">
          {back && (
            <button type="button" class="bar-back" onClick={goBack}>
              <span aria-hidden="true">‹</span> {say("action.back")}
            </button>
          )}
          <h1 tabIndex={-1} ref={heading}>
            {title}
          </h1>
        </div>
        {news && news.kind !== "gone" && (
          <p class={`news ${news.kind}`}>
            {news.message}
            <button type="button" aria-label={say("action.close")} onClick={dismiss}>
              ×
            </button>
          </p>
        )}
      </header>
      <main>
        <div class="content" id="content">
          {children}
        </div>
        {actions && <div class={pair ? "actions pair" : "actions"}>{actions}</div>}
      </main>
    </>
  );
}

/** A screen whose data is on its way: after a moment it says so, and leaves the focus to the screen that comes. */
export function Loading() {
  const { say } = useApp();
  return (
    <div class="loading">
      <Screen back resumed title={say("later.loading")}>
        {null}
      </Screen>
    </div>
  );
}

interface ButtonProps {
  readonly children: ComponentChildren;
  readonly onClick: () => void;
  readonly main?: boolean;
  readonly danger?: boolean;
  readonly busy?: boolean;
}

export function Button({ children, onClick, main = false, danger = false, busy = false }: ButtonProps) {
  const kind = main ? "button main" : danger ? "button danger" : "button";
  return (
    <button type="button" class={kind} aria-disabled={busy} onClick={() => !busy && onClick()}>
      {children}
    </button>
  );
}

export function LinkButton({
  href,
  children,
}: {
  readonly href: string;
  readonly children: ComponentChildren;
}) {
  return (
    <a class="button" href={href}>
      {children}
    </a>
  );
}

interface TextProps {
  readonly label: ComponentChildren;
  readonly value: string;
  readonly onInput: (value: string) => void;
  readonly hint?: string;
  readonly wrong?: string | null;
  readonly type?: "text" | "date" | "search";
  readonly max?: number | string;
  readonly numeric?: boolean;
  /** The label stands inside of the box until something is typed: a search among other things. */
  readonly bare?: boolean;
}

/** A labelled box; what is wrong with it stands beneath it and is read with it. */
export function Text(props: TextProps) {
  const { label, value, onInput, hint, wrong, type = "text", max = 80, numeric, bare } = props;
  const id = useId();
  const kind =
    type === "date"
      ? ({ type: "date", max: String(max) } as const)
      : type === "search"
        ? ({ type: "search", maxLength: Number(max) } as const)
        : ({ type: "text", maxLength: Number(max) } as const);
  return (
    <div class="box">
      <label for={id} class={bare ? "aloud" : ""}>
        {label}
      </label>
      {hint && (
        <p class="hint" id={`${id}-hint`}>
          {hint}
        </p>
      )}
      <input
        id={id}
        value={value}
        autoComplete="off"
        spellcheck={false}
        placeholder={bare ? String(label) : ""}
        inputMode={numeric ? "numeric" : "text"}
        aria-invalid={Boolean(wrong)}
        aria-describedby={wrong ? `${id}-wrong` : hint ? `${id}-hint` : undefined}
        onInput={(event) => onInput(event.currentTarget.value)}
        {...kind}
      />
      {/* what the box shows, the phone decides: month first on some */}
      {type === "date" && <p class="hint">{weekday(value, document.documentElement.lang)}</p>}
      {wrong && (
        <p class="wrong" id={`${id}-wrong`}>
          {wrong}
        </p>
      )}
    </div>
  );
}

interface ChoiceProps<T extends string> {
  readonly label: string;
  readonly options: readonly (readonly [value: T, label: string])[];
  readonly value: T;
  readonly onChoose: (value: T) => void;
  /** Next to each other, as a filter. */
  readonly side?: boolean;
}

/** One of a few: radio buttons as large targets, nothing to open first. */
export function Choice<T extends string>({ label, options, value, onChoose, side = false }: ChoiceProps<T>) {
  return (
    <fieldset class={side ? "choice side" : "choice"}>
      <legend>{label}</legend>
      <div>
        {options.map(([option, text]) => (
          <label key={option} class={option === value ? "chosen" : ""}>
            <input
              type="radio"
              name={label}
              checked={option === value}
              onChange={() => onChoose(option)}
              value={option}
            />
            <span>{text}</span>
          </label>
        ))}
      </div>
    </fieldset>
  );
}

interface SureProps {
  readonly question: string;
  readonly busy: boolean;
  readonly onYes: () => void;
  readonly onNo: () => void;
}

/** Asks once more, in place; it comes into view and takes the focus, wherever the list stood. */
export function Sure({ question, busy, onYes, onNo }: SureProps) {
  const { say } = useApp();
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => {
    box.current?.scrollIntoView({ block: "center" });
    box.current?.focus({ preventScroll: true });
  }, []);
  return (
    <div class="sure stack" role="alertdialog" aria-label={question} tabIndex={-1} ref={box}>
      <p>{question}</p>
      <Button danger busy={busy} onClick={onYes}>
        {say("action.yes")}
      </Button>
      <Button onClick={onNo}>{say("action.cancel")}</Button>
    </div>
  );
}

interface TickProps {
  readonly children: ComponentChildren;
  readonly on: boolean;
  readonly onTick: (on: boolean) => void;
}

export function Tick({ children, on, onTick }: TickProps) {
  return (
    <label class="tick">
      <input type="checkbox" checked={on} onChange={(event) => onTick(event.currentTarget.checked)} />
      <span>{children}</span>
    </label>
  );
}

/** How far a hamlet has come: a bar with the target marked, and the same in words beside it. */
export function Progress({
  signed,
  total,
  target,
}: {
  signed: number;
  total: number;
  target: number | null;
}) {
  const { say } = useApp();
  return (
    <div class="progress">
      <p>
        <span>{say("home.progress", { signed, total })}</span>{" "}
        {target !== null && <span class="hint">{say("home.target", { target })}</span>}
      </p>
      <svg viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true">
        <rect class="track" width="100" height="6" />
        <rect class="done" width={total ? (signed / total) * 100 : 0} height="6" />
        {target !== null && <rect class="target" x={target - 0.4} width="0.8" height="6" />}
      </svg>
    </div>
  );
}

const MARKS: Record<Outcome, string> = {
  signed: "✓",
  none: "○",
  met: "○",
  nobody_home: "–",
  come_back: "↻",
  withdrawn: "×",
};

/** "Số nhà 12, ngõ Kéo Tào": what of it is known. */
export function Place({ place }: { readonly place: HouseholdRow["place"] }) {
  const { say } = useApp();
  const { house, lane } = place;
  const parts = [house && say("household.house", { house }), lane].filter(Boolean);
  return <span class="place">{parts.join(", ")}</span>;
}

/** An outcome as a mark and in words: never by colour alone. */
export function OutcomeMark({
  outcome,
  counts = true,
}: {
  readonly outcome: Outcome;
  readonly counts?: boolean;
}) {
  const { say } = useApp();
  return (
    <span class={`outcome ${outcome}`}>
      <span aria-hidden="true">{MARKS[outcome]}</span> {say(`outcome.${outcome}`)}
      {!counts && ` (${say("outcome.not_counted")})`}
    </span>
  );
}

export function WhereMark({ where }: { readonly where: Where | "overruled" }) {
  const { say } = useApp();
  const [kind, day] = where.split(" ");
  return <span class={`where ${kind}`}>{say(`where.${kind}` as Key, day ? { date: date(day) } : {})}</span>;
}

/** The review of a document of this type, where it was returned. */
export function returnedOf(review: ReviewView | null | undefined, type: string): ReviewView | null {
  return review?.state === "returned" && review.of.startsWith(`${type}:`) ? review : null;
}

/** What staff want corrected, in their words; nothing where they want nothing. */
export function Returned({
  review,
  children,
}: {
  readonly review: ReviewView | null;
  readonly children?: ComponentChildren;
}) {
  const { say } = useApp();
  if (review?.state !== "returned") return null;
  return (
    <div class="warning">
      <p>
        <strong>
          <span aria-hidden="true">↩</span> {say("review.returned")}
        </strong>
      </p>
      {review.comment && <p>{say("review.said", { comment: review.comment })}</p>}
      {children}
    </div>
  );
}

export function Warning({ children }: { readonly children: ComponentChildren }) {
  return (
    <p class="warning">
      <span aria-hidden="true">⚠</span> {children}
    </p>
  );
}
