/**
 * The pledge, in four steps: notice, clauses, signer, signature. From the list to "saved" it takes six taps and a
 * signature for a household that is home: row, sign, told, read, continue, save.
 */
import { useEffect, useRef, useState } from "preact/hooks";
import type { Method, SignerRole, Strokes, Witness } from "../../core/documents.ts";
import type { Form, TextView } from "../../data/contract.ts";
import { go, leave, useApp, useExplain, useLoad, useWork } from "../context.ts";
import { Pad } from "../pad.tsx";
import { Button, Choice, Screen, Text, Tick, Warning } from "../parts.tsx";

const STEPS = 4;
export const ROLES = ["head", "spouse", "adult"] as const satisfies readonly SignerRole[];
export const PAPER = ["paper_signed", "paper_thumbprint", "paper_mark"] as const;
export const WITNESSES = [
  "hamlet_head",
  "security_team",
  "front",
  "women",
  "youth",
  "veterans",
  "commune_police",
  "neighbour",
] as const satisfies readonly Witness[];

interface Props {
  readonly hamlet: string;
  readonly id: string;
  readonly step: number;
}

export function Pledge({ hamlet, id, step }: Props) {
  const { field, say, tell } = useApp();
  const explain = useExplain();
  const texts = useLoad(async (data) => {
    const campaign = await data.campaign();
    if (!campaign) return { notice: null, clauses: null };
    const [notice, clauses] = await Promise.all([
      data.notice(campaign.notice),
      data.clauses(campaign.clauses),
    ]);
    return { notice, clauses };
  });
  const [form, setForm] = useState<Form>();
  const [readAloud, setReadAloud] = useState(false);
  const [signer, setSigner] = useState("");
  const [role, setRole] = useState<SignerRole>("head");
  const [method, setMethod] = useState<Method>("touch");
  const [assisted, setAssisted] = useState(false);
  const [witness, setWitness] = useState<Witness | "none">("none");
  const [strokes, setStrokes] = useState<Strokes>([]);
  const [wrong, setWrong] = useState<string | null>(null);
  const [busy, work] = useWork();
  const first = useRef(step);

  useEffect(() => {
    field.openForm(hamlet, id).then((opened) => {
      setForm(opened);
      setSigner(opened.shown.name);
    }, explain);
    // An address in the middle of a form (a reload, a killed app) begins again: nothing of it was kept.
    if (first.current > 0) leave();
  }, []);

  if (!form || !texts)
    return (
      <Screen back title="">
        {null}
      </Screen>
    );
  const next = () => {
    setWrong(null);
    go({ at: "sign", hamlet, household: id, step: step + 1 });
  };
  const save = () => {
    if (method === "touch" && strokes.length === 0) return setWrong(say("pledge.pad.empty"));
    if ((method === "paper_thumbprint" || method === "paper_mark") && witness === "none")
      return setWrong(say("pledge.need_witness"));
    setWrong(null);
    work(async () => {
      await field.recordSigned(form, {
        ...{ signer: signer.normalize("NFC").trim(), role, method, assisted, readAloud },
        ...(method === "touch" ? { strokes } : {}),
        ...(witness === "none" ? {} : { witness }),
      });
      tell(say("household.saved"));
      leave(STEPS + 1); // the steps and the household: back in the list, at the next door
    });
  };
  const heading = say("pledge.step", { n: step + 1, all: STEPS });
  if (step === 0)
    return (
      <Screen
        back
        title={say("pledge.notice")}
        actions={
          texts.notice && (
            <Button main onClick={next}>
              {say("pledge.notice.done")}
            </Button>
          )
        }
      >
        <p class="hint">
          {heading} · {form.shown.name}
        </p>
        <Wording text={texts.notice} />
      </Screen>
    );
  if (step === 1) {
    const read = (aloud: boolean) => {
      setReadAloud(aloud);
      next();
    };
    return (
      <Screen
        back
        title={say("pledge.clauses")}
        actions={
          texts.clauses && (
            <>
              <Button main onClick={() => read(true)}>
                {say("pledge.read_aloud")}
              </Button>
              <Button onClick={() => read(false)}>{say("pledge.read_self")}</Button>
            </>
          )
        }
      >
        <p class="hint">{heading}</p>
        <Wording text={texts.clauses} />
      </Screen>
    );
  }
  if (step === 2) {
    const on = (how: Method) => {
      if (!signer.trim()) return setWrong(say("pledge.need_name"));
      setMethod(how);
      next();
    };
    return (
      <Screen
        back
        title={say("pledge.signer")}
        actions={
          <>
            <Button main onClick={() => on("touch")}>
              {say("pledge.touch")}
            </Button>
            <Button onClick={() => on("paper_signed")}>{say("pledge.paper")}</Button>
          </>
        }
      >
        <p class="hint">{heading}</p>
        <Text label={say("pledge.signer.name")} value={signer} onInput={setSigner} wrong={wrong} />
        <Choice
          label={say("pledge.role")}
          value={role}
          onChoose={setRole}
          options={ROLES.map((one) => [one, say(`pledge.role.${one}`)])}
        />
        <Tick on={assisted} onTick={setAssisted}>
          {say("pledge.assisted")}
        </Tick>
      </Screen>
    );
  }
  return (
    <Screen
      back
      title={signer}
      actions={
        <Button main busy={busy} onClick={save}>
          {say("pledge.save")}
        </Button>
      }
    >
      <p class="hint">{heading}</p>
      {method === "touch" ? (
        <>
          <Pad onInk={setStrokes} />
          <p class="hint">{say("pledge.touch_is")}</p>
        </>
      ) : (
        <>
          <Choice
            label={say("pledge.method")}
            value={method}
            onChoose={setMethod}
            options={PAPER.map((one) => [one, say(`pledge.method.${one}`)])}
          />
          <Choice
            label={say("pledge.witness")}
            value={witness}
            onChoose={setWitness}
            options={[
              ["none", say("pledge.witness.none")],
              ...WITNESSES.map((one) => [one, say(`pledge.witness.${one}`)] as const),
            ]}
          />
        </>
      )}
      {wrong && (
        <p class="wrong" role="alert">
          {wrong}
        </p>
      )}
    </Screen>
  );
}

function Wording({ text }: { readonly text: TextView | null }) {
  const { say } = useApp();
  if (!text) return <Warning>{say("pledge.no_text")}</Warning>;
  return (
    <section class="wording">
      <h2>{text.title}</h2>
      <ol>
        {text.items.map((item) => (
          <li key={item}>{item}</li>
        ))}
      </ol>
    </section>
  );
}
