/** One item of a checklist: the question, what was found the last time, and the way to answer it. */
import { useId } from "preact/hooks";
import type { Answers, Item, Problem, Value } from "../../../core/checklist.ts";
import { date, type Say } from "../../../core/wording.ts";
import type { Previous } from "../../../data/registers/contract.ts";
import { useApp } from "../../context.ts";
import { Button, Text } from "../../parts.tsx";
import { Photos } from "../../photo.tsx";
import { Lines } from "./parts.tsx";

export const placeOf = (item: string) => `item-${item}`;

interface Props {
  readonly item: Item;
  /** The answer; of an item for photographs their digests. */
  readonly value: Value | undefined;
  readonly previous: Previous | null;
  readonly problem: Problem | undefined;
  readonly onAnswer: (value: Value | undefined) => void;
  readonly onPhotos: (ids: readonly string[]) => void;
  /** The hamlet that photographs go to, and what names their place in the form. */
  readonly photos: { readonly hamlet: string; readonly name: string };
}

export function ItemBox({ item, value, previous, problem, onAnswer, onPhotos, photos }: Props) {
  const { say } = useApp();
  const wrong = problem ? say(`checklist.${problem.key}`, { min: item.min ?? 0, max: item.max ?? 0 }) : null;
  return (
    <section class={problem ? "item missing" : "item"} id={placeOf(item.id)} tabIndex={-1}>
      {answering()}
      {previous && (
        <p class="previous">
          {say("inspection.previous", {
            date: date(previous.date),
            answer: inWords(say, item, previous.answers[item.id]),
          })}
        </p>
      )}
    </section>
  );

  function answering() {
    const label = <Label item={item} />;
    switch (item.kind) {
      case "yes_no":
      case "choice":
      case "multi":
        return <Options item={item} value={value} wrong={wrong} onAnswer={onAnswer} />;
      case "number":
        return (
          <Text
            numeric
            label={label}
            hint={say("inspection.range", {
              min: item.min ?? 0,
              max: item.max ?? 0,
              unit: item.unit ?? "",
            })}
            value={value === undefined ? "" : String(value)}
            max={7}
            // What is no number stays as it was typed, and is said when it is saved.
            onInput={(text) => onAnswer(text === "" ? undefined : /^\d+$/.test(text) ? Number(text) : text)}
            wrong={wrong}
          />
        );
      case "text":
        return (
          <Lines
            label={label}
            hint={say("inspection.text_hint")}
            value={typeof value === "string" ? value : ""}
            onInput={(text) => onAnswer(text === "" ? undefined : text)}
            wrong={wrong}
          />
        );
      case "photo":
        return (
          <Photos
            {...photos}
            label={label}
            photos={Array.isArray(value) ? value : []}
            onChange={onPhotos}
            most={item.max ?? 0}
            wrong={wrong}
          />
        );
    }
  }
}

function Label({ item }: { readonly item: Item }) {
  const { say } = useApp();
  return (
    <>
      {item.label} {item.required && <span class="must">({say("inspection.required")})</span>}
    </>
  );
}

interface OptionsProps {
  readonly item: Item;
  readonly value: Value | undefined;
  readonly wrong: string | null;
  readonly onAnswer: (value: Value | undefined) => void;
}

/** Large targets, nothing to open first; yes and no side by side. */
function Options({ item, value, wrong, onAnswer }: OptionsProps) {
  const { say } = useApp();
  const id = useId();
  const many = item.kind === "multi";
  const chosen: readonly string[] = Array.isArray(value) ? value : [];
  const options: readonly (readonly [option: boolean | string, label: string])[] =
    item.kind === "yes_no"
      ? [
          [true, say("inspection.yes")],
          [false, say("inspection.no")],
        ]
      : (item.options ?? []).map((option) => [option.id, option.label]);
  const isOn = (option: boolean | string) => (many ? chosen.includes(String(option)) : value === option);
  const toggled = (option: boolean | string) => {
    if (!many) return option;
    const next = isOn(option) ? chosen.filter((one) => one !== option) : [...chosen, String(option)];
    return next.length > 0 ? next : undefined;
  };
  return (
    <fieldset
      class={item.kind === "yes_no" ? "choice yesno" : "choice"}
      aria-describedby={wrong ? `${id}-wrong` : undefined}
    >
      <legend>
        <Label item={item} />
      </legend>
      <div>
        {options.map(([option, label]) => (
          <label key={String(option)} class={isOn(option) ? "chosen" : ""}>
            <input
              type={many ? "checkbox" : "radio"}
              name={`${id}-${item.id}`}
              checked={isOn(option)}
              onChange={() => onAnswer(toggled(option))}
            />
            <span>{label}</span>
          </label>
        ))}
      </div>
      {wrong && (
        <p class="wrong" id={`${id}-wrong`}>
          {wrong}
        </p>
      )}
      {!many && !item.required && value !== undefined && (
        <Button onClick={() => onAnswer(undefined)}>{say("inspection.clear")}</Button>
      )}
    </fieldset>
  );
}

/** An answer as a person says it. */
export function inWords(say: Say, item: Item, value: Answers[string]): string {
  if (value === undefined) return say("inspection.unanswered");
  if (typeof value === "boolean") return say(value ? "inspection.yes" : "inspection.no");
  if (item.kind === "photo") return say("inspection.photos", { n: Array.isArray(value) ? value.length : 0 });
  if (typeof value === "number") return `${value} ${item.unit ?? ""}`.trim();
  const labels = new Map((item.options ?? []).map((option) => [option.id, option.label]));
  const words = (typeof value === "string" ? [value] : value).map((one) => labels.get(one) ?? one);
  return words.join(", ");
}
