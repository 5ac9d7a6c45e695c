/** Enrolment: checks first, then a button; the code comes from the link or is typed. */
import { useState } from "preact/hooks";
import { useApp, useLoad, useWork } from "../context.ts";
import { Button, Screen, Text, Warning } from "../parts.tsx";

const CODE = /^[0-9A-HJKMNP-TV-Z]{10}$/;

/** What a person types, as the code is written: no dash, O and I as the digits that they look like. */
function tidy(code: string): string {
  return code.toUpperCase().replace(/[\s-]/g, "").replace(/O/g, "0").replace(/[IL]/g, "1");
}

/** `invited` is the code of the link, taken out of the address already. */
export function Join({ invited }: { readonly invited: string }) {
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
  const copy = () =>
    work(async () => {
      await navigator.clipboard.writeText(`${location.origin}/join#${tidy(code)}`);
      tell(say("join.copied"));
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
        check.inApp ? (
          <Button main onClick={copy}>
            {say("join.copy")}
          </Button>
        ) : (
          check.ready && (
            <Button main busy={busy} onClick={join}>
              {busy ? say("join.busy") : say("join.go")}
            </Button>
          )
        )
      }
    >
      {check.inApp ? (
        <>
          <Warning>{say("join.inapp", { app: check.inApp })}</Warning>
          <p>{say("join.inapp.how")}</p>
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
