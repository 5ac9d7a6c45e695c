/** Without a signal: records go with somebody who comes to one, sealed; and this phone carries others' the same way. */
import { useEffect, useState } from "preact/hooks";
import { localDay, moment } from "../../core/wording.ts";
import { FieldError } from "../../data/contract.ts";
import { useApp, useExplain, useLoad, useWork } from "../context.ts";
import { handOver } from "../hand.ts";
import { Button, LinkButton, Screen } from "../parts.tsx";
import { takeShared } from "../shared.ts";
import { said } from "../taken.ts";

/** A bundle of all that a phone may carry is smaller; nothing larger is read into memory. */
const LARGEST = 8_000_000;
/** What codes hold is packed; a browser without it still has the file. */
const packs = () => typeof CompressionStream !== "undefined";

export function Courier() {
  const { field, say, tell } = useApp();
  const explain = useExplain();
  const state = useLoad((data) => data.syncState());
  const carried = useLoad(async (data) => (await data.courier()).state());
  // A file that was saved is on its way once the person says so; one that was shared has left.
  const [saved, setSaved] = useState("");
  const [busy, work] = useWork();

  const name = (kind: "records" | "receipts") => `${say(`courier.file.${kind}`)}-${localDay(Date.now())}.txt`;
  const handedOver = async (bundle: string) => {
    await (await field.courier()).handedOver(bundle);
    setSaved("");
    tell(say("courier.handed"));
  };
  const give = () =>
    work(async () => {
      const bundle = await field.bundle();
      const how = await handOver(name("records"), bundle);
      if (how === "shared") await handedOver(bundle).catch(explain);
      if (how === "saved") setSaved(bundle);
    });
  const giveReceipts = () =>
    work(async () => {
      await handOver(name("receipts"), await (await field.courier()).receipts());
    });
  const take = async (text: string) => {
    tell(...said(await (await field.courier()).take(text), say));
  };
  const choose = (file: File) =>
    work(async () => {
      if (file.size > LARGEST) return explain(new FieldError("bad_bundle"));
      await take(await file.text()).catch(explain);
    });
  useEffect(() => {
    takeShared().then((text) => (text === null ? undefined : take(text).catch(explain)));
  }, []);

  if (!state || !carried)
    return (
      <Screen back title={say("courier.title")}>
        {null}
      </Screen>
    );
  return (
    <Screen back title={say("courier.title")}>
      <h2>{say("courier.mine")}</h2>
      <div role="status">
        <p>{state.waiting ? say("sync.waiting", { n: state.waiting }) : say("courier.mine.none")}</p>
        {state.carriedAt !== null && (
          <p class="hint">
            {say("courier.mine.carried", { n: state.carried, when: moment(state.carriedAt) })}
          </p>
        )}
      </div>
      {state.waiting > 0 && (
        <div class="stack">
          <p>{say("courier.mine.explain")}</p>
          <Button main busy={busy} onClick={give}>
            {say("courier.give")}
          </Button>
          {packs() && <LinkButton href="#/show">{say("courier.codes")}</LinkButton>}
          {saved && (
            <>
              <p role="status">{say("courier.saved")}</p>
              <Button busy={busy} onClick={() => work(() => handedOver(saved).catch(explain))}>
                {say("courier.saved.given")}
              </Button>
            </>
          )}
        </div>
      )}
      <h2>{say("courier.others")}</h2>
      <p>{say("courier.others.explain")}</p>
      <div role="status">
        {carried.carrying > 0 && <p>{say("courier.others.carrying", { n: carried.carrying })}</p>}
        {carried.answered > 0 && <p>{say("courier.others.answered", { n: carried.answered })}</p>}
      </div>
      {carried.answered > 0 && (
        <div class="stack">
          <Button busy={busy} onClick={giveReceipts}>
            {say("courier.receipts")}
          </Button>
          {packs() && <LinkButton href="#/show-receipts">{say("courier.codes.receipts")}</LinkButton>}
        </div>
      )}
      <h2>{say("courier.receive")}</h2>
      <div class="stack">
        <p>{say("courier.take.hint")}</p>
        <label class="button source">
          <input
            type="file"
            accept=".txt,text/plain"
            onChange={(event) => {
              const [file] = event.currentTarget.files ?? [];
              if (file) choose(file);
              event.currentTarget.value = ""; // the same file may be chosen again
            }}
          />
          <span>{say("courier.take")}</span>
        </label>
        {packs() && <LinkButton href="#/scan">{say("courier.scan")}</LinkButton>}
      </div>
    </Screen>
  );
}
