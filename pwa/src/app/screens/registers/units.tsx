/** Agencies, enterprises and schools of a hamlet: their pledges and what was found there. */
import { useEffect, useState } from "preact/hooks";
import { print, type Route } from "../../../core/route.ts";
import { date } from "../../../core/wording.ts";
import type { ReviewView } from "../../../data/contract.ts";
import type {
  UnitFacts,
  UnitForm,
  UnitKind,
  UnitStatus,
  UnitView,
} from "../../../data/registers/contract.ts";
import { useApp, useExplain, useWork } from "../../context.ts";
import { useCorrection } from "../../correction.ts";
import { useDraft } from "../../draft.ts";
import {
  Button,
  Choice,
  LinkButton,
  Loading,
  OutcomeMark,
  Returned,
  returnedOf,
  Screen,
  Sure,
  Text,
  Tick,
  Warning,
  WhereMark,
} from "../../parts.tsx";
import { back } from "../../trail.ts";
import type { Party } from "../pledge.tsx";
import { InspectBy } from "./models.tsx";
import { Overruled } from "./overruled.tsx";
import { History, Inspected, useRegisters } from "./parts.tsx";

const KINDS = ["agency", "enterprise", "school"] as const satisfies readonly UnitKind[];
const STATUSES = ["active", "moved", "closed", "entered_in_error"] as const satisfies readonly UnitStatus[];

interface Props {
  readonly hamlet: string;
  readonly id: string;
}

/** A unit pledges by its representative. */
export function unitParty(hamlet: string, id: string): Party {
  return {
    draft: `sign/${id}`,
    unit: true,
    open: async (field) => {
      const registers = await field.registers();
      const form = await registers.openUnit(hamlet, id);
      return { name: form.shown.name, record: (what) => registers.signUnit(form, what) };
    },
    at: (step) => ({ at: "sign-unit", hamlet, id, step }),
    after: { at: "unit", hamlet, id },
  };
}

export function Units({ hamlet }: { readonly hamlet: string }) {
  const { say } = useApp();
  const units = useRegisters((registers) => registers.units(hamlet), [hamlet]);
  return (
    <Screen
      back
      title={say("nav.units")}
      actions={<LinkButton href={print({ at: "add-unit", hamlet })}>{say("units.add")}</LinkButton>}
    >
      {units?.length === 0 && <p>{say("units.none")}</p>}
      <ul class="rows">
        {units?.map((unit) => (
          <li key={unit.id}>
            <a class="row" href={print({ at: "unit", hamlet, id: unit.id })}>
              <strong>{unit.name}</strong>
              <span class="place">
                {say(`unit.kind.${unit.kind}`)}
                {!unit.inScope && ` · ${say("unit.not_in_scope")}`}
              </span>
              <OutcomeMark outcome={unit.outcome} />
              {unit.where !== "received" && <WhereMark where={unit.where} />}
              <Inspected subject={unit} />
            </a>
          </li>
        ))}
      </ul>
    </Screen>
  );
}

export function Unit({ hamlet, id }: Props) {
  const { field, say, tell } = useApp();
  const explain = useExplain();
  const unit = useRegisters((registers) => registers.unit(hamlet, id), [hamlet, id]);
  const [form, setForm] = useState<UnitForm>();
  const [undoing, setUndoing] = useState("");
  const [busy, work] = useWork();
  // A form remembers what it was opened on; after a save or a sync another is opened.
  useEffect(() => {
    field
      .registers()
      .then((registers) => registers.openUnit(hamlet, id))
      .then(setForm, explain);
  }, [unit]);
  if (!unit || !form) return <Loading />;
  const undo = (act: string) =>
    work(async () => {
      await (await field.registers()).voidUnitAct(form, act);
      setUndoing("");
      tell(say("household.voided"));
    });
  const signed = unit.outcome === "signed";
  const returned = unit.review?.state === "returned";
  const correct: Route = returnedOf(unit.review, "pledge")
    ? { at: "amend", of: "unit", hamlet, id }
    : { at: "edit-unit", hamlet, id };
  return (
    <Screen
      back
      title={unit.name}
      actions={
        <>
          {returned && (
            <a class="button main" href={print(correct)}>
              {say("review.again")}
            </a>
          )}
          <a
            class={signed || returned ? "button" : "button main"}
            href={print({ at: "sign-unit", hamlet, id, step: 0 })}
          >
            {say(signed ? "household.sign_again" : "unit.sign")}
          </a>
          <InspectBy of="unit" hamlet={hamlet} id={id} checklists={unit.checklists} />
        </>
      }
    >
      <p class="facts">
        <OutcomeMark outcome={unit.outcome} />
        <WhereMark where={unit.where} />
      </p>
      <Returned review={unit.review} />
      <Overruled hamlet={hamlet} id={`unit:${id}`} />
      {unit.reason && <Warning>{unit.reason}</Warning>}
      <ul class="facts">
        <li>
          {say(`unit.kind.${unit.kind}`)} · {say(unit.inScope ? "unit.in_scope" : "unit.not_in_scope")}
        </li>
        {unit.status !== "active" && <li>{say(`unit.status.${unit.status}`)}</li>}
        {(unit.place.house || unit.place.lane) && (
          <li>{[unit.place.house, unit.place.lane].filter(Boolean).join(", ")}</li>
        )}
      </ul>
      {unit.acts.length > 0 && <h2>{say("household.acts")}</h2>}
      <ol class="acts">
        {[...unit.acts].reverse().map(({ act, stands, canVoid, where }) => (
          <li key={act.id} class={stands ? "" : "gone"}>
            <p>
              {act.kind === "signed"
                ? [say("act.signed", { signer: act.signer }), act.title].filter(Boolean).join(", ")
                : act.kind === "visit"
                  ? say(`act.visit.${act.result}`)
                  : say(`act.${act.kind}`)}
              {!stands && ` (${say("household.taken_back")})`}
            </p>
            <p class="hint">
              {date(act.at)} · <WhereMark where={where} />
            </p>
            {undoing === act.id ? (
              <Sure
                question={say("household.void.sure", { what: date(act.at) })}
                busy={busy}
                onYes={() => undo(act.id)}
                onNo={() => setUndoing("")}
              />
            ) : (
              canVoid && <Button onClick={() => setUndoing(act.id)}>{say("household.void")}</Button>
            )}
          </li>
        ))}
      </ol>
      <LinkButton href={print({ at: "edit-unit", hamlet, id })}>{say("unit.edit")}</LinkButton>
      <History hamlet={hamlet} inspections={unit.inspections} />
    </Screen>
  );
}

interface Values {
  readonly name: string;
  readonly kind: UnitKind;
  readonly inScope: boolean;
  readonly house: string;
  readonly lane: string;
  readonly status: UnitStatus;
}

const FRESH: Values = {
  ...{ name: "", kind: "agency", inScope: true, house: "", lane: "", status: "active" },
};

const factsOf = ({ name, kind, inScope, house, lane }: Values): UnitFacts => {
  return { name, kind, inScope, place: { house, lane } };
};

function begin({ name, kind, inScope, place, status }: UnitView): Values {
  return { name, kind, inScope, house: place.house ?? "", lane: place.lane ?? "", status };
}

const same = (unit: UnitView, values: Values) =>
  JSON.stringify(begin(unit)) === JSON.stringify({ ...begin(unit), ...values });

export function AddUnit({ hamlet }: { readonly hamlet: string }) {
  const { field } = useApp();
  const [values, change] = useDraft<Values>(`add-unit/${hamlet}`, async () => FRESH);
  const save = async (facts: Values) => {
    await (await field.registers()).addUnit(hamlet, factsOf(facts));
    return true;
  };
  return <UnitBoxes title="units.add" values={values} change={change} save={save} />;
}

export function EditUnit({ hamlet, id }: Props) {
  const { field } = useApp();
  const [form, setForm] = useState<UnitForm>();
  const [values, change] = useCorrection<Values>(`unit/${id}`, async () => {
    const opened = await (await field.registers()).openUnit(hamlet, id);
    setForm(opened);
    return begin(opened.shown);
  });
  const returned = returnedOf(form?.shown.review, "unit");
  const save = async (facts: Values) => {
    if (!form || (returned && same(form.shown, facts))) return false;
    const { status } = facts;
    const changed = status === form.shown.status ? {} : { status };
    await (await field.registers()).editUnit(form, { ...factsOf(facts), ...changed });
    return true;
  };
  return <UnitBoxes title="unit.edit" {...{ values, change, save, returned }} known />;
}

interface BoxesProps {
  readonly title: "units.add" | "unit.edit";
  readonly values: Values | undefined;
  readonly change: (part: Partial<Values>) => void;
  /** False where it was returned and nothing of it was changed. */
  readonly save: (values: Values) => Promise<boolean>;
  /** It is in the list already, and may have left it. */
  readonly known?: boolean;
  readonly returned?: ReviewView | null;
}

function UnitBoxes({ title, values, change, save, known = false, returned = null }: BoxesProps) {
  const { say, tell } = useApp();
  const [wrong, setWrong] = useState<string | null>(null);
  const [busy, work] = useWork();
  const onSave = () => {
    if (!values?.name.trim()) return setWrong(say("unit.need_name"));
    setWrong(null);
    work(async () => {
      if (!(await save(values))) return tell(say("review.unchanged"), "wrong");
      tell(say("household.saved"));
      back();
    });
  };
  return (
    <Screen
      back
      title={say(title)}
      actions={
        <Button main busy={busy} onClick={onSave}>
          {say(returned ? "review.again" : "action.save")}
        </Button>
      }
    >
      <Returned review={returned} />
      {values && (
        <>
          <p class="hint">{say("unit.only")}</p>
          <Text
            label={say("unit.name")}
            value={values.name}
            onInput={(name) => change({ name })}
            wrong={wrong}
          />
          <Choice
            label={say("unit.kind")}
            value={values.kind}
            onChoose={(kind) => change({ kind })}
            options={KINDS.map((one) => [one, say(`unit.kind.${one}`)])}
          />
          <Tick on={values.inScope} onTick={(inScope) => change({ inScope })}>
            {say("unit.in_scope")}
          </Tick>
          <p class="hint">{say("unit.in_scope.hint")}</p>
          <Text
            label={say("edit.house")}
            value={values.house}
            max={40}
            onInput={(house) => change({ house })}
          />
          <Text label={say("edit.lane")} value={values.lane} onInput={(lane) => change({ lane })} />
          {known && (
            <Choice
              label={say("unit.status")}
              value={values.status}
              onChoose={(status) => change({ status })}
              options={STATUSES.map((one) => [one, say(`unit.status.${one}`)])}
            />
          )}
        </>
      )}
    </Screen>
  );
}
