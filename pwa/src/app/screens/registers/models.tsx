/** The community models of a hamlet, and one of them with what was found there. */
import { print } from "../../../core/route.ts";
import { date } from "../../../core/wording.ts";
import type { ChecklistView } from "../../../data/registers/contract.ts";
import { useApp } from "../../context.ts";
import { Loading, Screen } from "../../parts.tsx";
import { History, Inspected, useRegisters } from "./parts.tsx";

export function Models({ hamlet }: { readonly hamlet: string }) {
  const { say } = useApp();
  const models = useRegisters((registers) => registers.models(hamlet), [hamlet]);
  return (
    <Screen back title={say("nav.models")}>
      {models?.length === 0 && <p>{say("models.none")}</p>}
      <ul class="rows">
        {models?.map((model) => (
          <li key={model.id}>
            <a class="row" href={print({ at: "model", hamlet, id: model.id })}>
              <strong>{model.name}</strong>
              <span class="place">
                {say(`model.kind.${model.kind}`)} · {say(`model.state.${model.state}`)}
              </span>
              <Inspected subject={model} />
            </a>
          </li>
        ))}
      </ul>
    </Screen>
  );
}

interface Props {
  readonly hamlet: string;
  readonly id: string;
}

export function Model({ hamlet, id }: Props) {
  const { say } = useApp();
  const model = useRegisters((registers) => registers.model(hamlet, id), [hamlet, id]);
  if (!model) return <Loading />;
  const { decision } = model;
  return (
    <Screen
      back
      title={model.name}
      actions={
        model.state !== "ended" && (
          <InspectBy of="model" hamlet={hamlet} id={id} checklists={model.checklists} />
        )
      }
    >
      <ul class="facts">
        <li>{say(`model.kind.${model.kind}`)}</li>
        <li>
          {say(`model.state.${model.state}`)} ({say("model.since", { date: date(model.since) })})
        </li>
        {decision && <li>{say("model.decision", { number: decision.number, date: date(decision.date) })}</li>}
        <li>{say("model.points", { points: model.points, groups: model.groups })}</li>
        {model.note && <li>{model.note}</li>}
      </ul>
      {model.checklists.length === 0 && <p>{say("subject.no_checklist")}</p>}
      <History hamlet={hamlet} inspections={model.inspections} />
    </Screen>
  );
}

interface InspectByProps extends Props {
  readonly of: "model" | "unit";
  readonly checklists: readonly ChecklistView[];
}

/** A way into the form for each checklist that fits: nearly always one. Null where there is none. */
export function InspectBy({ of, hamlet, id, checklists }: InspectByProps) {
  const { say } = useApp();
  return (
    <>
      {checklists.map(({ slug, title }, at) => (
        <a
          key={slug}
          class={of === "model" && at === 0 ? "button main" : "button"}
          href={print({ at: "inspect", hamlet, of, id, slug })}
        >
          {checklists.length === 1 ? say("subject.inspect") : say("subject.inspect_by", { title })}
        </a>
      ))}
    </>
  );
}
