import "./style.css";
import "./forms.css";
import "./lists.css";
import "./registers.css";
import { render } from "preact";
import { createField } from "../data/browser.ts";
import { App, type Preferences } from "./app.tsx";
import { follow } from "./trail.ts";
import { watchUpdates } from "./updates.ts";
import { wordsOf } from "./words.ts";

const KEPT = "camket-preferences";

/** The invitation of `/join#code`, taken out of the address and of the history before anything else. */
function takeInvitation(): string {
  if (location.pathname !== "/join") return "";
  const code = location.hash.slice(1);
  history.replaceState(null, "", "/");
  return /^[\w-]{1,20}$/.test(code) ? code : "";
}

function preferences(): Preferences {
  const made: Preferences = { language: "vi", textSize: "normal" };
  try {
    Object.assign(made, JSON.parse(localStorage.getItem(KEPT) ?? "{}"));
  } catch {
    // unreadable or forbidden: the defaults do
  }
  return new Proxy(made, {
    set(target, key, value) {
      Reflect.set(target, key, value);
      try {
        localStorage.setItem(KEPT, JSON.stringify(target));
      } catch {
        // a preference that is forgotten harms nobody
      }
      return true;
    },
  });
}

const root = document.getElementById("app");
if (!root) throw new Error("no place to render");
const chosen = preferences();
const invited = takeInvitation();
follow();
wordsOf(chosen.language).then((words) =>
  render(
    <App
      field={createField(() => chosen.language)}
      invited={invited}
      updates={watchUpdates()}
      preferences={chosen}
      words={words}
    />,
    root,
  ),
);
