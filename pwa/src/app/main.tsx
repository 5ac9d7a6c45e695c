import "./style.css";
import "./forms.css";
import "./lists.css";
import { render } from "preact";
import { createField } from "../data/browser.ts";
import { App, type Preferences } from "./app.tsx";
import { watchUpdates } from "./updates.ts";

const KEPT = "camket-preferences";

/** The invitation of `/join#code`, taken out of the address and of the history before anything else. */
function takeInvitation(): string {
  const code = decodeURIComponent(location.hash.slice(1));
  if (location.pathname !== "/join") return "";
  history.replaceState(null, "", "/");
  return code.startsWith("/") ? "" : code.slice(0, 20);
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
render(
  <App
    field={createField(() => chosen.language)}
    invited={takeInvitation()}
    updates={watchUpdates()}
    preferences={chosen}
  />,
  root,
);
