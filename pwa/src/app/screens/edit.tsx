/** A household is added, or what is known of it is corrected: the head's name and the place, nothing else. */
import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import type { HouseholdStatus, Place } from "../../core/documents.ts";
import { localDay } from "../../core/wording.ts";
import type { Form, HouseholdChange } from "../../data/contract.ts";
import { useApp, useLoad, useWork } from "../context.ts";
import { useCorrection } from "../correction.ts";
import { useDraft } from "../draft.ts";
import { Button, Choice, Returned, returnedOf, Screen, Text } from "../parts.tsx";
import { back } from "../trail.ts";

const STATUSES = [
  "resident",
  "seasonal_away",
  "long_absent",
  "moved",
  "dissolved",
  "entered_in_error",
] as const satisfies readonly HouseholdStatus[];

const tidy = (text: string) => text.normalize("NFC").replace(/\s+/g, " ").trim();

function placeOf(house: string, lane: string): Place {
  return { ...(tidy(house) ? { house: tidy(house) } : {}), ...(tidy(lane) ? { lane: tidy(lane) } : {}) };
}

/** What both forms ask for. */
interface Facts {
  readonly name: string;
  readonly house: string;
  readonly lane: string;
}

interface FactsProps extends Facts {
  readonly wrong: string | null;
  readonly onChange: (part: Partial<Facts>) => void;
}

function FactBoxes({ name, house, lane, wrong, onChange }: FactsProps) {
  const { say } = useApp();
  return (
    <>
      <p class="hint">{say("edit.only")}</p>
      <Text
        label={say("edit.name")}
        value={name}
        onInput={(text) => onChange({ name: text })}
        wrong={wrong}
      />
      <Text label={say("edit.house")} value={house} onInput={(text) => onChange({ house: text })} max={40} />
      <Text label={say("edit.lane")} value={lane} onInput={(text) => onChange({ lane: text })} />
    </>
  );
}

interface FormProps {
  readonly title: string;
  readonly action: string;
  readonly busy: boolean;
  readonly onSave: () => void;
  readonly children: ComponentChildren;
}

function FormScreen({ title, action, busy, onSave, children }: FormProps) {
  const save = (
    <Button main busy={busy} onClick={onSave}>
      {action}
    </Button>
  );
  return (
    <Screen back title={title} actions={save}>
      {children}
    </Screen>
  );
}

interface Added extends Facts {
  /** The household before it on the walk, "" for the end. */
  readonly after: string;
}

export function AddHousehold({ hamlet }: { readonly hamlet: string }) {
  const { field, say, tell } = useApp();
  const rows = useLoad((data) => data.households(hamlet), [hamlet]);
  const [values, change] = useDraft<Added>(`add/${hamlet}`, async () => {
    return { name: "", house: "", lane: "", after: "" };
  });
  const [wrong, setWrong] = useState<string | null>(null);
  const [busy, work] = useWork();
  const save = () => {
    if (!values) return;
    const { name, house, lane, after } = values;
    if (!tidy(name)) return setWrong(say("edit.need_name"));
    setWrong(null);
    work(async () => {
      const what = { name: tidy(name), place: placeOf(house, lane) };
      await field.addHousehold(hamlet, after ? { ...what, after } : what);
      tell(say("household.saved"));
      back();
    });
  };
  return (
    <FormScreen title={say("edit.add")} action={say("action.save")} busy={busy} onSave={save}>
      {values && (
        <>
          <FactBoxes {...values} wrong={wrong} onChange={change} />
          <div class="box">
            <label for="after">{say("edit.after")}</label>
            <select
              id="after"
              value={values.after}
              onChange={(event) => change({ after: event.currentTarget.value })}
            >
              <option value="">{say("edit.after.end")}</option>
              {rows?.map((row) => (
                <option key={row.id} value={row.id}>
                  {row.name}
                  {row.place.house && `, ${row.place.house}`}
                </option>
              ))}
            </select>
          </div>
        </>
      )}
    </FormScreen>
  );
}

interface Corrected extends Facts {
  readonly status: HouseholdStatus;
  readonly since: string;
}

/** The form as it begins. What differs from it was changed by the person, whatever a sync brought since. */
function begin({ name, place, status, since }: Form["shown"]): Corrected {
  return { name, house: place.house ?? "", lane: place.lane ?? "", status, since };
}

export function EditHousehold({ hamlet, id }: { readonly hamlet: string; readonly id: string }) {
  const { field, say, tell } = useApp();
  const [form, setForm] = useState<Form>();
  const [values, change] = useCorrection<Corrected>(`edit/${id}`, async () => {
    const opened = await field.openForm(hamlet, id);
    setForm(opened);
    return begin(opened.shown);
  });
  const [wrong, setWrong] = useState<string | null>(null);
  const [busy, work] = useWork();
  const today = localDay(Date.now());
  const returned = returnedOf(form?.shown.review, "household");
  const save = () => {
    if (!values || !form) return;
    if (!tidy(values.name)) return setWrong(say("edit.need_name"));
    setWrong(null);
    const changed = changes(values, begin(form.shown));
    if (returned && Object.keys(changed).length === 0) return tell(say("review.unchanged"), "wrong");
    work(async () => {
      if (Object.keys(changed).length) {
        await field.editHousehold(form, changed);
        tell(say("household.saved"));
      }
      back();
    });
  };
  return (
    <FormScreen
      title={say("edit.correct")}
      action={say(returned ? "review.again" : "action.save")}
      busy={busy}
      onSave={save}
    >
      {returned && <Returned review={returned} />}
      {values && form && (
        <>
          <FactBoxes {...values} wrong={wrong} onChange={change} />
          <Choice<HouseholdStatus>
            label={say("edit.status")}
            value={values.status}
            onChoose={(status) =>
              change({ status, since: status === form.shown.status ? form.shown.since : today })
            }
            // A household that was merged into another stays what the office made of it.
            options={(form.shown.status === "merged_into" ? (["merged_into"] as const) : STATUSES).map(
              (one) => [one, say(`status.${one}`)],
            )}
          />
          <Text
            type="date"
            label={say("edit.since")}
            value={values.since}
            max={today}
            onInput={(since) => change({ since })}
          />
        </>
      )}
    </FormScreen>
  );
}

function changes({ name, house, lane, status, since }: Corrected, was: Corrected): HouseholdChange {
  return {
    ...(tidy(name) === was.name ? {} : { name: tidy(name) }),
    ...(house === was.house && lane === was.lane ? {} : { place: placeOf(house, lane) }),
    ...(status === was.status && since === was.since ? {} : { status: { is: status, since } }),
  };
}
