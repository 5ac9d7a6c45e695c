/** Enrolment: checks first, then a button; the code comes from the link or is typed. */
import { useState } from "preact/hooks";
import { useApp, useLoad, useWork } from "../context.ts";
import { Button, Screen, Text, Warning } from "../parts.tsx";

const CODE = /^[0-9A-HJKMNP-TV-Z]{10}$/;

/** What a person types, as the code is written: no dash, O and I as the digits that they look like. */
function tidy(code: string): string {
  return code.toUpperCase().replace(/[\s-]/g, "").replace(/O/g, "0").replace(/[IL]/g, "1");
}

interface Props {
  /** The code of the link, taken out of the address already. */
  readonly invited: string;
  /** Back to the PIN, where this phone has an account. */
  readonly onCancel?: () => void;
}

export function Join({ invited, onCancel }: Props) {
  const { field, say, tell } = useApp();
  const [code, set] = useState(invited);
  const [wrong, setWrong] = useState<string | null>(null);
  const [busy, work] = useWork();
  const check = useLoad((data) => data.checkDevice());
  const join = () => {
    if (!CODE.test(tidy(code))) return setWrong(say("error.bad_code"));
    setWrong(null);
    work(async () => {
      await field.join(tidy(code), deviceName() ?? say("join.device"));
    });
  };
  const link = `${location.origin}/join#${tidy(code)}`;
  const copy = () =>
    work(async () => {
      try {
        await navigator.clipboard.writeText(link);
        tell(say("join.copied"));
      } catch {
        tell(say("join.copy_by_hand"), "wrong"); // browsers inside of other apps often forbid it
      }
    });
  if (!check)
    return (
      <Screen title={say("join.title")}>
        <p>{say("join.checking")}</p>
      </Screen>
    );
  const problem = !check.secure
    ? say("join.insecure")
    : check.ios && !check.installed
      ? say("join.ios")
      : !check.durable
        ? say("join.not_durable")
        : null;
  return (
    <Screen
      title={say("join.title")}
      actions={
        <>
          {check.inApp && (
            <Button main onClick={copy}>
              {say("join.copy")}
            </Button>
          )}
          {check.ready && (
            <Button main busy={busy} onClick={join}>
              {busy ? say("join.busy") : say("join.go")}
            </Button>
          )}
          {onCancel && <Button onClick={onCancel}>{say("join.have_pin")}</Button>}
        </>
      }
    >
      {check.inApp ? (
        <>
          <Warning>{say("join.inapp", { app: check.inApp })}</Warning>
          <p>{say("join.inapp.how")}</p>
          <p class="link">{link}</p>
        </>
      ) : problem ? (
        <Warning>{problem}</Warning>
      ) : (
        <>
          <p>{say("join.hello")}</p>
          <Text
            label={say("join.code")}
            hint={say("join.code.hint")}
            value={code}
            onInput={set}
            wrong={wrong}
            max={14}
          />
        </>
      )}
    </Screen>
  );
}

/** "SM-A057F" from the browser's own description: staff tell phones apart by it when one is lost. */
function deviceName(): string | null {
  return /Android [^;)]*; ([^;)]{2,40}?)(?: Build|[;)])/.exec(navigator.userAgent)?.[1] ?? null;
}
