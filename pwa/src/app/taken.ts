/** What came of a file or a run of codes that another phone gave, in words. */
import type { Say } from "../core/wording.ts";
import type { Taken } from "../data/contract.ts";
import type { News } from "./context.ts";

export function said(taken: Taken, say: Say): [message: string, kind: News["kind"]] {
  if (taken.kind === "receipts") {
    const { settled, forged } = taken;
    const told = settled > 0 ? say("courier.settled", { n: settled }) : say("courier.settled.none");
    return [forged > 0 ? `${told} ${say("courier.forged", { n: forged })}` : told, "done"];
  }
  const { taken: fresh, known, bad } = taken;
  const told = [
    fresh > 0 && say("courier.taken", { n: fresh }),
    known > 0 && say("courier.known", { n: known }),
    bad > 0 && say("courier.bad", { n: bad }),
    fresh + known + bad === 0 && say("courier.empty"),
  ];
  return [told.filter(Boolean).join(" "), fresh + known === 0 ? "wrong" : "done"];
}
