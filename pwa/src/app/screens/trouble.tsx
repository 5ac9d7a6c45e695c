/** The data does not open, or it is gone: said plainly, with what to do, and never as if nothing had been here. */
import { FieldError } from "../../data/contract.ts";
import { useApp, useLoad, useWork } from "../context.ts";
import { Button, Screen, Warning } from "../parts.tsx";

/** The browser cleared away what was kept on this phone. */
export function Lost() {
  const { field, say } = useApp();
  const unsent = useLoad((data) => data.lost())?.unsent ?? 0;
  const [busy, work] = useWork();
  return (
    <Screen
      title={say("lost.title")}
      actions={
        <Button main busy={busy} onClick={() => work(() => field.acceptLoss())}>
          {say("lost.go")}
        </Button>
      }
    >
      <Warning>{unsent ? say("lost.unsent", { n: unsent }) : say("lost.sent")}</Warning>
      <p>{say("lost.why")}</p>
      <p>{say("lost.how")}</p>
    </Screen>
  );
}

/** The data is there, as far as anybody knows, and cannot be opened. */
export function Shut({ error, onAgain }: { readonly error: unknown; readonly onAgain: () => void }) {
  const { say } = useApp();
  const code = error instanceof FieldError ? error.code : "";
  const known = code === "blocked" || code === "outdated" ? code : "shut";
  return (
    <Screen
      title={say("shut.title")}
      actions={
        <Button main onClick={known === "outdated" ? () => location.reload() : onAgain}>
          {say("action.again")}
        </Button>
      }
    >
      <Warning>{say(`error.${known}`)}</Warning>
      <p>{say("shut.safe")}</p>
    </Screen>
  );
}
