/** Language, size of the text, the PIN, and locking. */
import { useState } from "preact/hooks";
import type { Language } from "../../core/wording.ts";
import { useApp, useLoad, useWork } from "../context.ts";
import { Keypad } from "../keypad.tsx";
import { Button, Choice, Screen } from "../parts.tsx";
import { backTo } from "../trail.ts";
import { ChoosePin } from "./pin.tsx";

export type TextSize = "normal" | "large";

interface Props {
  readonly language: Language;
  readonly onLanguage: (language: Language) => void;
  readonly textSize: TextSize;
  readonly onTextSize: (size: TextSize) => void;
}

export function Settings({ language, onLanguage, textSize, onTextSize }: Props) {
  const { field, say, tell } = useApp();
  const account = useLoad((data) => data.account());
  const [busy, work] = useWork();
  const [changing, setChanging] = useState<{ readonly old: string | null } | null>(null);
  if (changing?.old)
    return (
      <ChoosePin
        onChosen={async (pin) => {
          setChanging(null);
          await field.changePin(changing.old ?? "", pin);
          tell(say("settings.pin.done"));
        }}
      />
    );
  if (changing)
    return (
      <Screen
        title={say("settings.pin.old")}
        actions={<Button onClick={() => setChanging(null)}>{say("action.cancel")}</Button>}
      >
        <Keypad busy={busy} onPin={(old) => setChanging({ old })} />
      </Screen>
    );
  return (
    <Screen back title={say("settings.title")}>
      {account && <p>{[account.user.name, account.commune].filter(Boolean).join(" · ")}</p>}
      <Choice<Language>
        label={say("settings.language")}
        value={language}
        onChoose={onLanguage}
        options={[
          ["vi", "Tiếng Việt"],
          ["en", "English"],
        ]}
      />
      <Choice<TextSize>
        label={say("settings.text")}
        value={textSize}
        onChoose={onTextSize}
        options={[
          ["normal", say("settings.text.normal")],
          ["large", say("settings.text.large")],
        ]}
      />
      <div class="stack">
        <Button onClick={() => setChanging({ old: null })}>{say("settings.pin")}</Button>
        <Button
          busy={busy}
          onClick={() =>
            work(async () => {
              backTo({ at: "home" });
              await field.lock();
            })
          }
        >
          {say("settings.lock")}
        </Button>
      </div>
      <p class="hint">{say("settings.worth")}</p>
    </Screen>
  );
}
