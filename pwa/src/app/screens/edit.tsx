/** A household is added, or what is known of it is corrected: the head's name and the place, nothing else. */
import { useEffect, useState } from "preact/hooks";
import type { HouseholdStatus, Place } from "../../core/documents.ts";
import { localDay } from "../../core/wording.ts";
import type { Form, HouseholdChange } from "../../data/contract.ts";
import { leave, useApp, useExplain, useLoad, useWork } from "../context.ts";
import { Button, Choice, Screen, Text } from "../parts.tsx";

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

interface FactsProps {
  readonly name: string;
  readonly house: string;
  readonly lane: string;
  readonly wrong: string | null;
  readonly onName: (text: string) => void;
  readonly onHouse: (text: string) => void;
  readonly onLane: (text: string) => void;
}

function Facts({ name, house, lane, wrong, onName, onHouse, onLane }: FactsProps) {
  const { say } = useApp();
  return (
    <>
      <p class="hint">{say("edit.only")}</p>
      <Text label={say("edit.name")} value={name} onInput={onName} wrong={wrong} />
      <Text label={say("edit.house")} value={house} onInput={onHouse} max={40} />
      <Text label={say("edit.lane")} value={lane} onInput={onLane} />
    </>
  );
}

export function AddHousehold({ hamlet }: { readonly hamlet: string }) {
  const { field, say, tell } = useApp();
  const rows = useLoad((data) => data.households(hamlet), [hamlet]);
  const [name, setName] = useState("");
  const [house, setHouse] = useState("");
  const [lane, setLane] = useState("");
  const [after, setAfter] = useState("");
  const [wrong, setWrong] = useState<string | null>(null);
  const [busy, work] = useWork();
  const save = () => {
    if (!tidy(name)) return setWrong(say("edit.need_name"));
    setWrong(null);
    work(async () => {
      await field.addHousehold(hamlet, {
        ...{ name: tidy(name), place: placeOf(house, lane) },
        ...(after ? { after } : {}),
      });
      tell(say("household.saved"));
      leave();
    });
  };
  return (
    <Screen
      back
      title={say("edit.add")}
      actions={
        <Button main busy={busy} onClick={save}>
          {say("action.save")}
        </Button>
      }
    >
      <Facts {...{ name, house, lane, wrong }} {...{ onName: setName, onHouse: setHouse, onLane: setLane }} />
      <div class="box">
        <label for="after">{say("edit.after")}</label>
        <select id="after" value={after} onChange={(event) => setAfter(event.currentTarget.value)}>
          <option value="">{say("edit.after.end")}</option>
          {rows?.map((row) => (
            <option key={row.id} value={row.id}>
              {row.name}
              {row.place.house && `, ${row.place.house}`}
            </option>
          ))}
        </select>
      </div>
    </Screen>
  );
}

export function EditHousehold({ hamlet, id }: { readonly hamlet: string; readonly id: string }) {
  const { field, say, tell } = useApp();
  const explain = useExplain();
  const [form, setForm] = useState<Form>();
  const [name, setName] = useState("");
  const [house, setHouse] = useState("");
  const [lane, setLane] = useState("");
  const [status, setStatus] = useState<HouseholdStatus>("resident");
  const [since, setSince] = useState("");
  const [wrong, setWrong] = useState<string | null>(null);
  const [busy, work] = useWork();
  const today = localDay(Date.now());
  useEffect(() => {
    field.openForm(hamlet, id).then((opened) => {
      setForm(opened);
      setName(opened.shown.name);
      setHouse(opened.shown.place.house ?? "");
      setLane(opened.shown.place.lane ?? "");
      setStatus(opened.shown.status);
      setSince(opened.shown.since);
    }, explain);
  }, []);
  if (!form)
    return (
      <Screen back title="">
        {null}
      </Screen>
    );
  const { shown } = form;
  const save = () => {
    if (!tidy(name)) return setWrong(say("edit.need_name"));
    setWrong(null);
    const moved = house !== (shown.place.house ?? "") || lane !== (shown.place.lane ?? "");
    const change: HouseholdChange = {
      ...(tidy(name) === shown.name ? {} : { name: tidy(name) }),
      ...(moved ? { place: placeOf(house, lane) } : {}),
      ...(status === shown.status && since === shown.since ? {} : { status: { is: status, since } }),
    };
    work(async () => {
      if (Object.keys(change).length) {
        await field.editHousehold(form, change);
        tell(say("household.saved"));
      }
      leave();
    });
  };
  // A household that was merged into another stays what the office made of it.
  const options = shown.status === "merged_into" ? (["merged_into"] as const) : STATUSES;
  return (
    <Screen
      back
      title={say("edit.correct")}
      actions={
        <Button main busy={busy} onClick={save}>
          {say("action.save")}
        </Button>
      }
    >
      <Facts {...{ name, house, lane, wrong }} {...{ onName: setName, onHouse: setHouse, onLane: setLane }} />
      <Choice<HouseholdStatus>
        label={say("edit.status")}
        value={status}
        onChoose={(one) => {
          setStatus(one);
          setSince(one === shown.status ? shown.since : today);
        }}
        options={options.map((one) => [one, say(`status.${one}`)])}
      />
      <Text type="date" label={say("edit.since")} value={since} max={today} onInput={setSince} />
    </Screen>
  );
}
