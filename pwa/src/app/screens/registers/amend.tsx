/** A pledge that the office sent back: what was written of a visit or a signature, to be put right in one write. */
import { useState } from "preact/hooks";
import type { Method, SignerRole, VisitResult, Witness } from "../../../core/documents.ts";
import { date, localDay } from "../../../core/wording.ts";
import type { AmendForm, Amendment } from "../../../data/registers/contract.ts";
import { useApp, useWork } from "../../context.ts";
import { useCorrection } from "../../correction.ts";
import { Button, Choice, Loading, Returned, Screen, Text, Tick } from "../../parts.tsx";
import { back } from "../../trail.ts";
import { PAPER, ROLES, WITNESSES } from "../pledge.tsx";
import { toFirstWrong } from "./parts.tsx";

interface Props {
  readonly hamlet: string;
  readonly of: "household" | "unit";
  readonly id: string;
}

/** Of a visit only `result` is shown, of a signature all the rest. */
interface Values {
  readonly result: VisitResult;
  readonly signer: string;
  readonly role: SignerRole;
  readonly title: string;
  readonly method: Method;
  readonly assisted: boolean;
  readonly witness: Witness | "none";
  readonly day: string;
  readonly sheet: string;
}

const FRESH: Values = {
  ...{ result: "met", signer: "", role: "head", title: "", method: "paper_signed" },
  ...{ assisted: false, witness: "none", day: "", sheet: "" },
};

export function Amend({ hamlet, of, id }: Props) {
  const { field, say, tell } = useApp();
  const [form, setForm] = useState<AmendForm>();
  const [values, change] = useCorrection<Values>(`amend/${of}/${id}`, async () => {
    const opened = await (await field.registers()).openAmend(hamlet, of, id);
    setForm(opened);
    return begin(opened.act);
  });
  const [tried, setTried] = useState(false);
  const [busy, work] = useWork();
  if (!form || !values) return <Loading />;
  const { act } = form;
  const today = localDay(Date.now());
  const wrong = act?.kind === "signed" && tried ? wrongOf(act, values, today) : {};
  const save = () => {
    if (!act) return;
    setTried(true);
    if (act.kind === "signed" && Object.keys(wrongOf(act, values, today)).length > 0) return toFirstWrong();
    if (JSON.stringify(values) === JSON.stringify(begin(act))) return tell(say("review.unchanged"), "wrong");
    work(async () => {
      await (await field.registers()).amend(form, amendment(act, values));
      tell(say("household.saved"));
      back();
    });
  };
  return (
    <Screen
      back
      title={form.name}
      actions={
        act && (
          <Button main busy={busy} onClick={save}>
            {say("review.again")}
          </Button>
        )
      }
    >
      <Returned review={form.review} />
      {act ? (
        <p class="hint">
          {say("amend.of", {
            what:
              act.kind === "signed"
                ? say("act.signed", { signer: act.signer })
                : say(`act.visit.${act.result}`),
            date: date(act.at),
          })}
        </p>
      ) : (
        <p>{say("amend.others")}</p>
      )}
      {act?.kind === "visit" && (
        <Choice
          label={say("household.visit")}
          value={values.result}
          onChoose={(result) => change({ result })}
          options={(["nobody_home", "come_back", "met"] as const).map((one) => [
            one,
            say(`household.${one}`),
          ])}
        />
      )}
      {act?.kind === "signed" && (
        <>
          <Text
            label={say("pledge.signer.name")}
            value={values.signer}
            onInput={(signer) => change({ signer })}
            wrong={wrong.signer ? say("pledge.need_name") : null}
          />
          {of === "unit" ? (
            <Text
              label={say("pledge.signer.title")}
              value={values.title}
              onInput={(title) => change({ title })}
              wrong={wrong.title ? say("pledge.need_title") : null}
            />
          ) : (
            <Choice
              label={say("pledge.role")}
              value={values.role}
              onChoose={(role) => change({ role })}
              options={ROLES.map((one) => [one, say(`pledge.role.${one}`)])}
            />
          )}
          <Choice<Method>
            label={say("pledge.method")}
            value={values.method}
            onChoose={(method) => change({ method })}
            options={(act.method === "touch" ? (["touch", ...PAPER] as const) : PAPER).map((one) => [
              one,
              say(`pledge.method.${one}`),
            ])}
          />
          {act.meeting && (
            <>
              <Text
                type="date"
                label={say("meeting.date")}
                value={values.day}
                max={today}
                onInput={(day) => change({ day })}
                wrong={wrong.day ? say("meeting.bad_date") : null}
              />
              <Text
                numeric
                label={say("meeting.sheet")}
                value={values.sheet}
                max={3}
                onInput={(sheet) => change({ sheet })}
                wrong={wrong.sheet ? say("meeting.bad_sheet") : null}
              />
            </>
          )}
          {values.method !== "touch" && (
            <Choice
              label={say("pledge.witness")}
              value={values.witness}
              onChoose={(witness) => change({ witness })}
              options={[
                ["none", say("pledge.witness.none")],
                ...WITNESSES.map((one) => [one, say(`pledge.witness.${one}`)] as const),
              ]}
            />
          )}
          {wrong.witness && (
            <p class="wrong" role="alert">
              {say("pledge.need_witness")}
            </p>
          )}
          <Tick on={values.assisted} onTick={(assisted) => change({ assisted })}>
            {say("pledge.assisted")}
          </Tick>
        </>
      )}
      {act && <p class="hint">{say("amend.explain")}</p>}
    </Screen>
  );
}

type Act = NonNullable<AmendForm["act"]>;

function begin(act: Act | null): Values {
  if (!act) return FRESH;
  if (act.kind === "visit") return { ...FRESH, result: act.result };
  const { signer, role, title = "", method, assisted, witness = "none", meeting } = act;
  const sheet = meeting ? String(meeting.sheet) : "";
  return { ...FRESH, signer, role, title, method, assisted, witness, day: meeting?.date ?? "", sheet };
}

type Wrong = { readonly [field in "signer" | "title" | "day" | "sheet" | "witness"]?: true };

function wrongOf(act: Act & { kind: "signed" }, values: Values, today: string): Wrong {
  const { signer, title, method, witness, day, sheet } = values;
  const needsWitness = method === "paper_thumbprint" || method === "paper_mark";
  return {
    ...(signer.trim() ? {} : { signer: true }),
    ...(act.role !== "representative" || title.trim() ? {} : { title: true }),
    ...(act.meeting && (day === "" || day > today) ? { day: true } : {}),
    ...(act.meeting && !/^[1-9]\d{0,2}$/.test(sheet) ? { sheet: true } : {}),
    ...(needsWitness && witness === "none" ? { witness: true } : {}),
  };
}

function amendment(act: Act, values: Values): Amendment {
  if (act.kind === "visit") return { kind: "visit", result: values.result };
  const { signer, role, title, method, assisted, witness, day, sheet } = values;
  return {
    ...{ kind: "signed", signer, role, method, assisted },
    ...(title ? { title } : {}),
    ...(method === "touch" || witness === "none" ? {} : { witness }),
    ...(act.meeting ? { meeting: { date: day, sheet: Number(sheet) } } : {}),
  };
}
