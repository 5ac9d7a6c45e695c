/**
 * The pledge, in four steps: notice, clauses, signer, signature. From the list to "saved" it takes six taps and a
 * signature for a household that is home: row, sign, told, read, continue, save.
 */
import { useEffect, useState } from "preact/hooks";
import type { Method, SignerRole, Strokes, Witness } from "../../core/documents.ts";
import type { Route } from "../../core/route.ts";
import type { Field, Signing, TextView } from "../../data/contract.ts";
import { useApp, useLoad, useWork } from "../context.ts";
import { useDraft } from "../draft.ts";
import { Pad } from "../pad.tsx";
import { Button, Choice, Loading, Screen, Text, Tick, Warning } from "../parts.tsx";
import { backTo, go } from "../trail.ts";

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

/** Who pledges: a household, or a unit by its representative. */
export interface Party {
  /** The name of what is half filled in. */
  readonly draft: string;
  readonly unit: boolean;
  open(field: Field): Promise<Opened>;
  at(step: number): Route;
  /** Where it goes on after the pledge was saved. */
  readonly after: Route;
}

interface Opened {
  readonly name: string;
  record(what: Signing): Promise<void>;
}

export function household(hamlet: string, id: string): Party {
  return {
    draft: `sign/${id}`,
    unit: false,
    open: async (field) => {
      const form = await field.openForm(hamlet, id);
      return { name: form.shown.name, record: (what) => field.recordSigned(form, what) };
    },
    at: (step) => ({ at: "sign", hamlet, household: id, step }),
    after: { at: "hamlet", hamlet }, // in the list, at the next door
  };
}

interface Props {
  readonly party: Party;
  readonly step: number;
}

/** What is half filled in. The strokes are not among it: a signature that was not saved is given again. */
interface Values {
  /** The furthest step that was come to: an address further on is gone back from. */
  readonly reached: number;
  readonly readAloud: boolean;
  readonly signer: string;
  readonly role: SignerRole;
  readonly title: string;
  readonly method: Method;
  readonly assisted: boolean;
  readonly witness: Witness | "none";
}

export function Pledge({ party, step }: Props) {
  const { field, say, tell } = useApp();
  const texts = useLoad(async (data) => {
    const campaign = await data.campaign();
    if (!campaign) return { notice: null, clauses: null, touchCounts: true };
    const [notice, clauses] = await Promise.all([
      data.notice(campaign.notice),
      data.clauses(campaign.clauses),
    ]);
    return { notice, clauses, touchCounts: campaign.touchCounts };
  });
  const [form, setForm] = useState<Opened>();
  const [values, change] = useDraft<Values>(party.draft, async () => {
    const opened = await party.open(field);
    setForm(opened);
    return {
      ...{ reached: 0, readAloud: false, method: "touch", assisted: false, witness: "none", title: "" },
      ...(party.unit ? { signer: "", role: "representative" } : { signer: opened.name, role: "head" }),
    } as const;
  });
  const [strokes, setStrokes] = useState<Strokes>([]);
  const [wrong, setWrong] = useState<string | null>(null);
  const [busy, work] = useWork();
  const { at } = party;
  const tooFar = values !== undefined && step > values.reached;

  useEffect(() => {
    if (tooFar) backTo(at(values.reached));
  }, [tooFar]);

  if (!form || !texts || !values || tooFar) return <Loading />;
  const { readAloud, signer, role, title, method, assisted, witness } = values;
  const next = (part: Partial<Values> = {}) => {
    setWrong(null);
    change({ ...part, reached: step + 1 });
    go(at(step + 1));
  };
  const save = () => {
    if (method === "touch" && strokes.length === 0) return setWrong(say("pledge.pad.empty"));
    if ((method === "paper_thumbprint" || method === "paper_mark") && witness === "none")
      return setWrong(say("pledge.need_witness"));
    setWrong(null);
    work(async () => {
      await form.record({
        ...{ signer: signer.normalize("NFC").trim(), role, method, assisted, readAloud },
        ...(party.unit ? { title } : {}),
        ...(method === "touch" ? { strokes } : {}),
        ...(method === "touch" || witness === "none" ? {} : { witness }),
      });
      tell(say("household.saved"));
      backTo(party.after);
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
            <Button main onClick={() => next()}>
              {say("pledge.notice.done")}
            </Button>
          )
        }
      >
        <p class="hint">
          {heading} · {form.name}
        </p>
        <Wording text={texts.notice} />
      </Screen>
    );
  if (step === 1) {
    return (
      <Screen
        back
        title={say("pledge.clauses")}
        actions={
          texts.clauses && (
            <>
              <Button main onClick={() => next({ readAloud: true })}>
                {say("pledge.read_aloud")}
              </Button>
              <Button onClick={() => next({ readAloud: false })}>{say("pledge.read_self")}</Button>
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
      if (party.unit && !title.trim()) return setWrong(say("pledge.need_title"));
      next({ method: how });
    };
    return (
      <Screen
        back
        title={say("pledge.signer")}
        actions={
          // The way that the campaign counts comes first.
          <>
            <Button main={texts.touchCounts} onClick={() => on("touch")}>
              {say("pledge.touch")}
            </Button>
            <Button main={!texts.touchCounts} onClick={() => on("paper_signed")}>
              {say("pledge.paper")}
            </Button>
          </>
        }
      >
        <p class="hint">{heading}</p>
        <Text
          label={say("pledge.signer.name")}
          value={signer}
          onInput={(text) => change({ signer: text })}
          wrong={signer.trim() ? null : wrong}
        />
        {party.unit ? (
          <Text
            label={say("pledge.signer.title")}
            value={title}
            onInput={(text) => change({ title: text })}
            wrong={signer.trim() ? wrong : null}
          />
        ) : (
          <Choice
            label={say("pledge.role")}
            value={role}
            onChoose={(one) => change({ role: one })}
            options={ROLES.map((one) => [one, say(`pledge.role.${one}`)])}
          />
        )}
        {!texts.touchCounts && <p>{say("pledge.touch_not_counted")}</p>}
        <Tick on={assisted} onTick={(on) => change({ assisted: on })}>
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
            onChoose={(one) => change({ method: one })}
            options={PAPER.map((one) => [one, say(`pledge.method.${one}`)])}
          />
          <Choice
            label={say("pledge.witness")}
            value={witness}
            onChoose={(one) => change({ witness: one })}
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
