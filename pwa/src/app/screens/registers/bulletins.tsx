/** What the office tells its volunteers. */
import { date, localDay } from "../../../core/wording.ts";
import { useApp, useWork } from "../../context.ts";
import { Button, Screen } from "../../parts.tsx";
import { useRegisters } from "./parts.tsx";

export function Bulletins() {
  const { field, say } = useApp();
  const bulletins = useRegisters((registers) => registers.bulletins(localDay(Date.now())));
  const [busy, work] = useWork();
  const read = (id: string) => work(async () => (await field.registers()).readBulletin(id));
  return (
    <Screen back title={say("board.bulletins")}>
      {bulletins?.length === 0 && <p>{say("bulletins.none")}</p>}
      <ul class="cards">
        {bulletins?.map((one) => (
          <li key={one.id} class="card bulletin">
            <h2>{one.title}</h2>
            <p class="hint">
              {date(one.from)}
              {!one.read && (
                <>
                  {" · "}
                  <span class="new">{say("bulletins.new")}</span>
                </>
              )}
            </p>
            <p>{one.text}</p>
            {!one.read && (
              <Button busy={busy} onClick={() => read(one.id)}>
                {say("bulletins.read")}
              </Button>
            )}
          </li>
        ))}
      </ul>
    </Screen>
  );
}
