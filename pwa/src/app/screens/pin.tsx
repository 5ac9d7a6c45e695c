/** The PIN: chosen twice, asked for, forgotten. */
import { useState } from "preact/hooks";
import { useApp, useExplain, useLoad, useWork } from "../context.ts";
import { Keypad } from "../keypad.tsx";
import { Button, Screen } from "../parts.tsx";

interface Chosen {
  readonly onChosen: (pin: string) => Promise<void>;
  /** Of an account that is new here: one that was here before may be stranded, and nobody may think it lost. */
  readonly fresh?: boolean;
}

/** Asks for a new PIN twice, then hands it on. */
export function ChoosePin({ onChosen, fresh = false }: Chosen) {
  const beside = useLoad((data) => data.beside()) ?? false;
  const { say, tell } = useApp();
  const [first, set] = useState<string | null>(null);
  const [busy, work] = useWork();
  const entered = (pin: string) => {
    if (first === null) return set(pin);
    set(null);
    if (pin !== first) return tell(say("pin.differ"), "wrong");
    work(() => onChosen(pin));
  };
  return (
    <Screen title={first === null ? say("pin.title") : say("pin.again")}>
      {fresh && beside && <p class="warning">{say("join.beside")}</p>}
      <p>{busy ? say("pin.saving") : say("pin.why")}</p>
      <Keypad key={first === null ? "first" : "again"} busy={busy} onPin={entered} />
    </Screen>
  );
}

/** An account that was here before goes on with the PIN that it has. */
export function Resume() {
  const { field, say } = useApp();
  const explain = useExplain();
  const [busy, work] = useWork();
  const [forgot, setForgot] = useState(false);
  if (forgot) return <Forgot onClose={() => setForgot(false)} />;
  return (
    <Screen title={say("unlock.title")}>
      <p>{busy ? say("unlock.busy") : say("rejoin.hello")}</p>
      <Keypad
        busy={busy}
        onPin={(pin) =>
          work(async () => {
            await field.setPin(pin).catch(explain);
          })
        }
      />
      <div class="stack">
        <Button onClick={() => setForgot(true)}>{say("unlock.forgot")}</Button>
      </div>
    </Screen>
  );
}

/** `onOther`: another person joins on this phone. */
export function Unlock({ onOther }: { readonly onOther: () => void }) {
  const { field, say, tell } = useApp();
  const explain = useExplain();
  const account = useLoad((data) => data.account());
  const others = useLoad((data) => data.accounts())?.filter(({ id }) => id !== account?.id) ?? [];
  const waiting = useLoad((data) => data.syncState())?.waiting ?? 0;
  const [busy, work] = useWork();
  const [forgot, setForgot] = useState(false);
  if (forgot) return <Forgot onClose={() => setForgot(false)} />;
  const send = () =>
    work(async () => {
      const { problem } = await field.syncNow();
      if (problem) tell(say(`sync.${problem}`), "wrong");
      else tell(say("unlock.sent"));
    });
  return (
    <Screen title={say("unlock.title")}>
      <p>{busy ? say("unlock.busy") : say("unlock.hello", { name: account?.user.name ?? "" })}</p>
      <Keypad
        busy={busy}
        onPin={(pin) =>
          work(async () => {
            await field.unlock(pin).catch(explain);
          })
        }
      />
      <div class="stack">
        {waiting > 0 && (
          <Button busy={busy} onClick={send}>
            {say("unlock.send")} ({waiting})
          </Button>
        )}
        {others.map(({ id, user }) => (
          <Button key={id} busy={busy} onClick={() => work(() => field.choose(id))}>
            {say("unlock.switch", { name: user.name })}
          </Button>
        ))}
        <Button onClick={() => setForgot(true)}>{say("unlock.forgot")}</Button>
        <Button onClick={onOther}>{say("unlock.other")}</Button>
      </div>
    </Screen>
  );
}

/** A forgotten PIN: staff approve, then a new one is chosen over the same data. */
function Forgot({ onClose }: { readonly onClose: () => void }) {
  const { field, say } = useApp();
  const [busy, work] = useWork();
  const [state, set] = useState<"none" | "pending" | "approved" | "refused">("none");
  const ask = () =>
    work(async () => {
      const before = await field.recovery();
      if (before === "none" || before === "refused") await field.forgotPin();
      set(await field.recovery());
    });
  if (state === "approved") return <ChoosePin onChosen={(pin) => field.recover(pin)} />;
  return (
    <Screen
      title={say("forgot.title")}
      actions={
        <>
          <Button main busy={busy} onClick={ask}>
            {state === "pending" ? say("forgot.check") : say("forgot.ask")}
          </Button>
          <Button onClick={onClose}>{say("action.back")}</Button>
        </>
      }
    >
      <p>{say("forgot.explain")}</p>
      {state !== "none" && <p>{say(`forgot.${state}`)}</p>}
    </Screen>
  );
}
