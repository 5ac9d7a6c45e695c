/** Launch points and drives: how many came, never who. */
import { useState } from "preact/hooks";
import { print } from "../../../core/route.ts";
import { date, localDay } from "../../../core/wording.ts";
import type {
  OutreachFacts,
  OutreachForm,
  OutreachKind,
  OutreachRow,
  Topic,
} from "../../../data/registers/contract.ts";
import { useApp, useWork } from "../../context.ts";
import { useCorrection } from "../../correction.ts";
import { useDraft } from "../../draft.ts";
import { Button, Choice, Returned, Screen, Text, Tick, Warning, WhereMark } from "../../parts.tsx";
import { back } from "../../trail.ts";
import { Overruled } from "./overruled.tsx";
import { Lines, toFirstWrong, useRegisters } from "./parts.tsx";

const KINDS = ["launch", "drive"] as const satisfies readonly OutreachKind[];
const TOPICS = ["pccc", "atgt", "weapons", "identity", "general"] as const satisfies readonly Topic[];

export function OutreachList({ hamlet }: { readonly hamlet: string }) {
  const { say } = useApp();
  const rows = useRegisters((registers) => registers.outreach(hamlet), [hamlet]);
  return (
    <Screen
      back
      title={say("nav.outreach")}
      actions={
        <a class="button main" href={print({ at: "add-outreach", hamlet })}>
          {say("outreach.add")}
        </a>
      }
    >
      {rows?.length === 0 && <p>{say("outreach.none")}</p>}
      <ul class="rows">
        {rows?.map((row) => (
          <li key={row.id}>
            <a class="row" href={print({ at: "edit-outreach", hamlet, id: row.id })}>
              <strong>{row.place}</strong>
              <span class="place">
                {say(`outreach.kind.${row.kind}`)} ·{" "}
                {say("outreach.row", { date: date(row.date), present: row.present })}
              </span>
              <WhereMark where={row.where} />
            </a>
          </li>
        ))}
      </ul>
    </Screen>
  );
}

interface Values extends Omit<OutreachFacts, "present"> {
  readonly present: string;
}

interface Props {
  readonly hamlet: string;
  /** What is corrected; absent for a new one. */
  readonly id?: string;
}

export function EditOutreach({ hamlet, id }: Props) {
  const { field, say, tell } = useApp();
  const today = localDay(Date.now());
  const [form, setForm] = useState<OutreachForm>();
  const use = id === undefined ? useDraft : useCorrection;
  const [values, change] = use<Values>(`outreach/${id ?? hamlet}`, async () => {
    if (id === undefined) return { kind: "drive", date: today, place: "", present: "", topics: [], note: "" };
    const opened = await (await field.registers()).openOutreach(hamlet, id);
    setForm(opened);
    const { kind, date: day, place, present, topics, note } = opened.shown;
    return { kind, date: day, place, present: String(present), topics, note };
  });
  const [tried, setTried] = useState(false);
  const [busy, work] = useWork();
  const wrong = values && tried ? wrongOf(values, today) : {};
  const shown = form?.shown;
  const save = () => {
    if (!values) return;
    setTried(true);
    if (Object.keys(wrongOf(values, today)).length > 0) return toFirstWrong();
    const facts = { ...values, present: Number(values.present) };
    if (shown && same(shown, facts)) return tell(say("review.unchanged"), "wrong");
    work(async () => {
      const registers = await field.registers();
      if (form) await registers.editOutreach(form, facts);
      else await registers.addOutreach(hamlet, facts);
      tell(say("household.saved"));
      back();
    });
  };
  return (
    <Screen
      back
      title={say(id === undefined ? "outreach.add" : "outreach.edit")}
      actions={
        <Button main busy={busy} onClick={save}>
          {say(shown?.where === "returned" ? "review.again" : "action.save")}
        </Button>
      }
    >
      {shown && <Returned review={shown.review} />}
      {shown && <Overruled hamlet={hamlet} id={`outreach:${shown.id}`} />}
      {shown?.reason && <Warning>{shown.reason}</Warning>}
      {values && (
        <>
          <Choice
            label={say("outreach.kind")}
            value={values.kind}
            onChoose={(kind) => change({ kind })}
            options={KINDS.map((one) => [one, say(`outreach.kind.${one}`)])}
          />
          <Text
            type="date"
            label={say("outreach.date")}
            value={values.date}
            max={today}
            onInput={(day) => change({ date: day })}
            wrong={wrong.date ? say("outreach.bad_date") : null}
          />
          <Text
            label={say("outreach.place")}
            hint={say("outreach.place.hint")}
            value={values.place}
            max={200}
            onInput={(place) => change({ place })}
            wrong={wrong.place ? say("outreach.need_place") : null}
          />
          <Text
            numeric
            label={say("outreach.present")}
            hint={say("outreach.present.hint")}
            value={values.present}
            max={5}
            onInput={(present) => change({ present })}
            wrong={wrong.present ? say("outreach.need_present") : null}
          />
          <fieldset class="choice">
            <legend>{say("outreach.topics")}</legend>
            <div>
              {TOPICS.map((one) => (
                <Tick
                  key={one}
                  on={values.topics.includes(one)}
                  onTick={(on) =>
                    change({ topics: TOPICS.filter((t) => (t === one ? on : values.topics.includes(t))) })
                  }
                >
                  {say(`outreach.topic.${one}`)}
                </Tick>
              ))}
            </div>
            {wrong.topics && <p class="wrong">{say("outreach.need_topic")}</p>}
          </fieldset>
          <Lines
            label={say("outreach.note")}
            hint={say("outreach.note.hint")}
            value={values.note}
            onInput={(note) => change({ note })}
          />
        </>
      )}
    </Screen>
  );
}

type Wrong = { readonly [field in "date" | "place" | "present" | "topics"]?: true };

function wrongOf({ date: day, place, present, topics }: Values, today: string): Wrong {
  return {
    ...(day === "" || day > today ? { date: true } : {}),
    ...(place.trim() ? {} : { place: true }),
    ...(/^\d{1,5}$/.test(present) ? {} : { present: true }),
    ...(topics.length > 0 ? {} : { topics: true }),
  };
}

function same(row: OutreachRow, facts: OutreachFacts): boolean {
  const { kind, date: day, place, present, topics, note } = row;
  return JSON.stringify({ kind, date: day, place, present, topics, note }) === JSON.stringify(facts);
}
