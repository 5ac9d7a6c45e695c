/** One inspection as it was recorded: the answers, what is to be done, and what the office says of it. */
import { type Answers, applicable, score } from "../../../core/checklist.ts";
import { print } from "../../../core/route.ts";
import { date, localDay } from "../../../core/wording.ts";
import { useApp, useWork } from "../../context.ts";
import { Button, LinkButton, Loading, Returned, Screen, Warning, WhereMark } from "../../parts.tsx";
import { Thumb } from "../../photo.tsx";
import { inWords } from "./items.tsx";
import { Overruled } from "./overruled.tsx";
import { useRegisters } from "./parts.tsx";

interface PicturesProps {
  readonly hamlet: string;
  readonly ids: Answers[string];
  readonly label: string;
}

function Pictures({ hamlet, ids, label }: PicturesProps) {
  if (!Array.isArray(ids)) return null;
  return (
    <div class="thumbs">
      {ids.map((id) => (
        <Thumb key={id} hamlet={hamlet} sha256={id} alt={label} />
      ))}
    </div>
  );
}

interface Props {
  readonly hamlet: string;
  readonly id: string;
}

export function Inspection({ hamlet, id }: Props) {
  const { field, say, tell } = useApp();
  const shown = useRegisters((registers) => registers.inspection(hamlet, id), [hamlet, id]);
  const [busy, work] = useWork();
  if (!shown) return <Loading />;
  const { checklist, answers, followUp } = shown;
  const asked = checklist ? applicable(checklist, answers) : [];
  const points = checklist ? score(checklist, answers) : null;
  const done = () =>
    work(async () => {
      await (await field.registers()).followedUp(hamlet, id, localDay(Date.now()));
      tell(say("household.saved"));
    });
  const correct = print({ at: "correct", hamlet, id });
  const returned = shown.where === "returned";
  return (
    <Screen
      back
      title={shown.name}
      actions={
        checklist &&
        (returned ? (
          <a class="button main" href={correct}>
            {say("review.again")}
          </a>
        ) : (
          shown.mine && <LinkButton href={correct}>{say("inspection.edit")}</LinkButton>
        ))
      }
    >
      <p class="facts">
        <span>{say("inspection.of", { date: date(shown.date) })}</span>
        <WhereMark where={shown.where} />
      </p>
      <Returned review={shown.review} />
      <Overruled hamlet={hamlet} id={`inspection:${id}`} />
      {shown.reason && <Warning>{shown.reason}</Warning>}
      {!checklist && <Warning>{say("inspection.unknown_checklist")}</Warning>}
      {points && points.possible > 0 && (
        <p class="score">
          <strong>{say("inspection.score", { ...points })}</strong>
        </p>
      )}
      {followUp && (
        <>
          <h2>{say("inspection.follow_up.what")}</h2>
          <p>{followUp.what}</p>
          {followUp.done ? (
            <p class="outcome signed">
              <span aria-hidden="true">✓</span>{" "}
              {say("inspection.follow_up.done", { date: date(followUp.done) })}
            </p>
          ) : (
            <>
              <p>
                {say("inspection.follow_up.due")}: {date(followUp.due)}
              </p>
              <Button busy={busy} onClick={done}>
                {say("inspection.follow_up.do")}
              </Button>
            </>
          )}
        </>
      )}
      {checklist?.sections.map((section) => {
        const items = section.items.filter((item) => asked.includes(item));
        if (items.length === 0) return null;
        return (
          <section key={section.id}>
            <h2>{section.title}</h2>
            <dl class="answers">
              {items.map((item) => (
                <div key={item.id}>
                  <dt>{item.label}</dt>
                  <dd>
                    {inWords(say, item, answers[item.id])}
                    {item.kind === "photo" && (
                      <Pictures {...{ hamlet, ids: answers[item.id], label: item.label }} />
                    )}
                  </dd>
                </div>
              ))}
            </dl>
          </section>
        );
      })}
      {shown.findings && (
        <>
          <h2>{say("inspection.findings")}</h2>
          <p>{shown.findings}</p>
        </>
      )}
    </Screen>
  );
}
