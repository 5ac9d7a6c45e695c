/**
 * An inspection, as its checklist asks for it. What is half filled in stays when the screen is left: thirty answers
 * at a school gate must survive a telephone call, the camera and Android.
 */
import { useState } from "preact/hooks";
import {
  answered,
  applicable,
  cleaned,
  type Photo,
  problems,
  score,
  type Value,
} from "../../../core/checklist.ts";
import type { Register } from "../../../core/route.ts";
import { localDay } from "../../../core/wording.ts";
import type { Inspected, InspectionForm } from "../../../data/registers/contract.ts";
import { useApp, useWork } from "../../context.ts";
import { useCorrection } from "../../correction.ts";
import { useDraft } from "../../draft.ts";
import { Button, Loading, Returned, Screen, Sure, Text, Tick, Warning } from "../../parts.tsx";
import { back } from "../../trail.ts";
import { ItemBox, placeOf } from "./items.tsx";
import { Lines } from "./parts.tsx";

interface Props {
  readonly route: Extract<Register, { at: "inspect" | "correct" }>;
}

/** What is half filled in; `inspection` and `version` as it was begun; `base`: what is corrected. */
interface Values {
  readonly base: unknown;
  readonly inspection: string;
  readonly version: number;
  readonly date: string;
  readonly values: Readonly<Record<string, Value | undefined>>;
  readonly photos: Readonly<Record<string, readonly string[]>>;
  readonly findings: string;
  readonly todo: boolean;
  readonly what: string;
  readonly due: string;
}

export function Inspect({ route }: Props) {
  const [begun, begin] = useState(0);
  return <Answering key={begun} route={route} onRestart={() => begin(begun + 1)} />;
}

const draftOf = (route: Props["route"]) =>
  route.at === "inspect"
    ? `inspect/${route.hamlet}/${route.of}:${route.id}/${route.slug}`
    : `correct/${route.id}`;

function Answering({ route, onRestart }: Props & { readonly onRestart: () => void }) {
  const { field, say, tell } = useApp();
  const { hamlet } = route;
  const today = localDay(Date.now());
  const [form, setForm] = useState<InspectionForm>();
  const [resumed, setResumed] = useState(false);
  const [sure, setSure] = useState(false);
  const [tried, setTried] = useState(false);
  const [busy, work] = useWork();
  const draft = draftOf(route);
  const use = route.at === "correct" ? useCorrection : useDraft;
  const [values, change, forget] = use<Values>(
    draft,
    async (kept) => {
      const registers = await field.registers();
      const opened =
        route.at === "correct"
          ? await registers.openInspection(hamlet, route.id, kept)
          : await registers.newInspection(
              hamlet,
              `${route.of}:${route.id}`,
              kept ? { slug: route.slug, version: kept.version } : { slug: route.slug },
              kept?.inspection,
            );
      setForm(opened);
      setResumed(kept !== null);
      return begin(opened, today);
    },
    true, // a correction is forgotten when it is left
  );
  if (!form || !values) return <Loading />;
  const { checklist, shown } = form;
  const photos = photosOf(values);
  const answers = answered(values.values, photos);
  const asked = new Set(applicable(checklist, answers).map(({ id }) => id));
  const wrongNow = () => {
    const counted = cleaned(checklist, values.values, photos);
    return problems(checklist, answered(counted, photos));
  };
  const wrong = tried ? wrongNow() : [];
  const wrongDate = values.date === "" || values.date > today;
  const wrongTodo = values.todo && !(values.what.trim() && values.due);
  const points = score(checklist, answers);

  const save = () => {
    setTried(true);
    const [first, ...more] = wrongNow();
    if (first) {
      const label = checklist.sections
        .flatMap(({ items }) => items)
        .find(({ id }) => id === first.item)?.label;
      tell(say("inspection.wrong", { n: more.length + 1, label: label ?? first.item }), "wrong");
      return jumpTo(placeOf(first.item));
    }
    if (wrongDate) return jumpTo("date");
    if (wrongTodo) return jumpTo("follow-up");
    const what = inspectedOf(values, shown?.followUp?.done);
    if (shown && same(begin(form, today), values)) return tell(say("review.unchanged"), "wrong");
    work(async () => {
      await (await field.registers()).saveInspection(form, what);
      await forget();
      tell(say("household.saved"));
      back();
    });
  };
  const restart = () => work(() => forget().then(onRestart));

  return (
    <Screen
      back
      title={form.name}
      actions={
        <Button main busy={busy} onClick={save}>
          {say(shown?.where === "returned" ? "review.again" : "inspection.save")}
        </Button>
      }
    >
      <p class="hint">{checklist.title}</p>
      {shown && <Returned review={shown.review} />}
      {shown?.reason && <Warning>{shown.reason}</Warning>}
      {resumed && (
        <div class="box">
          <p>{say("inspection.resumed")}</p>
          {sure ? (
            <Sure
              question={say("inspection.restart.sure")}
              busy={busy}
              onYes={restart}
              onNo={() => setSure(false)}
            />
          ) : (
            <Button onClick={() => setSure(true)}>{say("inspection.restart")}</Button>
          )}
        </div>
      )}
      <div id="date" tabIndex={-1}>
        <Text
          type="date"
          label={say("inspection.date")}
          value={values.date}
          max={today}
          onInput={(date) => change({ date })}
          wrong={wrongDate ? say("inspection.bad_date") : null}
        />
      </div>
      {checklist.sections.map((section) => {
        const items = section.items.filter(({ id }) => asked.has(id));
        if (items.length === 0) return null;
        return (
          <section key={section.id} aria-labelledby={`section-${section.id}`}>
            <h2 id={`section-${section.id}`}>{section.title}</h2>
            {items.map((item) => (
              <ItemBox
                key={item.id}
                item={item}
                value={answers[item.id]}
                previous={form.previous}
                problem={wrong.find((one) => one.item === item.id)}
                onAnswer={(value) => change((now) => ({ values: { ...now.values, [item.id]: value } }))}
                onPhotos={(ids) => change((now) => ({ photos: { ...now.photos, [item.id]: ids } }))}
                photos={{ hamlet, name: `${draft}/${item.id}` }}
              />
            ))}
          </section>
        );
      })}
      <Lines
        label={say("inspection.findings")}
        hint={say("inspection.text_hint")}
        value={values.findings}
        onInput={(findings) => change({ findings })}
      />
      <div id="follow-up" tabIndex={-1} class="stack">
        <Tick on={values.todo} onTick={(todo) => change({ todo })}>
          {say("inspection.follow_up")}
        </Tick>
        {values.todo && (
          <>
            <Lines
              label={say("inspection.follow_up.what")}
              hint={say("inspection.text_hint")}
              value={values.what}
              onInput={(what) => change({ what })}
              wrong={tried && wrongTodo ? say("inspection.follow_up.need") : null}
            />
            <Text
              type="date"
              label={say("inspection.follow_up.due")}
              value={values.due}
              max="2099-12-31"
              onInput={(due) => change({ due })}
            />
          </>
        )}
      </div>
      {points.possible > 0 && (
        <div class="score" role="status">
          <p>
            <strong>{say("inspection.score", { ...points })}</strong>
          </p>
          <p class="hint">{say("inspection.score.hint")}</p>
        </div>
      )}
    </Screen>
  );
}

function photosOf({ photos }: Values): Photo[] {
  return Object.entries(photos).flatMap(([item, ids]) => ids.map((id) => ({ id, item })));
}

/** The form as it begins: with what is corrected, or empty. */
function begin({ id, checklist, shown, base }: InspectionForm, today: string): Values {
  const photos = checklist.sections
    .flatMap(({ items }) => items)
    .flatMap(({ id: item, kind }) => (kind === "photo" ? [item] : []));
  const answers = Object.entries(shown?.answers ?? {});
  return {
    base,
    inspection: id,
    version: checklist.version,
    date: shown?.date ?? today,
    values: Object.fromEntries(answers.filter(([item]) => !photos.includes(item))),
    photos: Object.fromEntries(
      answers.flatMap(([item, ids]) => (photos.includes(item) ? [[item, ids as readonly string[]]] : [])),
    ),
    findings: shown?.findings ?? "",
    todo: Boolean(shown?.followUp),
    what: shown?.followUp?.what ?? "",
    due: shown?.followUp?.due ?? "",
  };
}

function inspectedOf(values: Values, done: string | undefined): Inspected {
  const { date, photos, findings, todo, what, due } = values;
  const followUp = todo ? { what, due, ...(done ? { done } : {}) } : null;
  return { date, values: values.values, photos, findings, followUp };
}

function same(one: Values, two: Values): boolean {
  const ordered = ({ values, ...rest }: Values) =>
    JSON.stringify([
      Object.entries(values)
        .filter(([, value]) => value !== undefined)
        .sort(),
      rest,
    ]);
  return ordered({ ...one, version: two.version }) === ordered({ ...one, ...two });
}

/** To what is missing, where the screen reader goes on from. */
function jumpTo(id: string): void {
  const place = document.getElementById(id);
  place?.scrollIntoView({ block: "center" });
  const control = place?.querySelector<HTMLElement>("input, textarea, button") ?? place;
  control?.focus({ preventScroll: true });
}
