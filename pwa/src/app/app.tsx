/** Which screen stands now: by where the phone is in its life, then by the address. */
import { useCallback, useEffect, useMemo, useRef, useState } from "preact/hooks";
import { parse } from "../core/route.ts";
import { type Language, sayer } from "../core/wording.ts";
import type { Catalogue } from "../core/words/vi.ts";
import type { Field, Lifecycle } from "../data/contract.ts";
import { AppContext, type News } from "./context.ts";
import { later } from "./later.tsx";
import { Screen } from "./parts.tsx";
import { Hamlet } from "./screens/hamlet.tsx";
import { Home } from "./screens/home.tsx";
import { Household } from "./screens/household.tsx";
import { Join } from "./screens/join.tsx";
import { ChoosePin, Resume, Unlock } from "./screens/pin.tsx";
import { household, Pledge } from "./screens/pledge.tsx";
import type { TextSize } from "./screens/settings.tsx";
import type { Updates } from "./updates.ts";
import { wordsOf } from "./words.ts";

const apart = () => import("./screens/apart.ts");
const AddHousehold = later(() => apart().then(({ AddHousehold }) => AddHousehold));
const Courier = later(() => apart().then(({ Courier }) => Courier));
const EditHousehold = later(() => apart().then(({ EditHousehold }) => EditHousehold));
const Lost = later(() => apart().then(({ Lost }) => Lost));
const Meeting = later(() => apart().then(({ Meeting }) => Meeting));
const Registers = later(() => apart().then(({ Registers }) => Registers));
const Scan = later(() => apart().then(({ Scan }) => Scan));
const Settings = later(() => apart().then(({ Settings }) => Settings));
const Show = later(() => apart().then(({ Show }) => Show));
const Shut = later(() => apart().then(({ Shut }) => Shut));
const Sync = later(() => apart().then(({ Sync }) => Sync));

const NEWS_STAYS = 6_000;
const NEWS_TRAVELS = 1_000;

interface Props {
  readonly field: Field;
  readonly invited: string;
  readonly updates: Updates;
  readonly preferences: Preferences;
  /** The words of the language that is set. */
  readonly words: Catalogue;
}

/** What a person set, kept outside of the encrypted data: the lock screen needs it too, and it tells nothing. */
export interface Preferences {
  language: Language;
  textSize: TextSize;
}

export function App({ field, invited, updates, preferences, words }: Props) {
  const [language, setLanguage] = useState(preferences.language);
  const [textSize, setTextSize] = useState(preferences.textSize);
  const [lifecycle, setLifecycle] = useState<Lifecycle>();
  // What keeps the data from being opened.
  const [shut, setShut] = useState<unknown>();
  // An invitation opened on a phone that already has an account is for another person, or for a phone come back.
  const [joining, setJoining] = useState(invited !== "");
  const [code, setCode] = useState(invited);
  const [demo, setDemo] = useState(false);
  const [hash, setHash] = useState(location.hash);
  const [news, setNews] = useState<News | null>(null);
  const [update, setUpdate] = useState(updates.waiting);
  const timer = useRef(0);

  const tell = useCallback((message: string, kind: News["kind"] = "done") => {
    setNews({ message, kind, since: kind === "gone" ? 0 : Date.now() });
    clearTimeout(timer.current);
    // What went wrong stays until the person moves on: it must not vanish before it was read.
    if (kind === "done") timer.current = setTimeout(() => setNews(null), NEWS_STAYS);
  }, []);
  const [catalogue, setCatalogue] = useState(words);
  const say = useMemo(() => sayer(catalogue), [catalogue]);
  const dismiss = useCallback(() => setNews(null), []);
  const app = useMemo(() => ({ field, say, tell, news, dismiss }), [field, say, tell, news, dismiss]);
  const used = useRef<string | null>(null);
  const said = useRef(say);
  said.current = say;
  const again = useRef(() => {});

  useEffect(() => {
    const look = async () => {
      const now = await field.lifecycle();
      const [account, accounts] = await Promise.all([field.account(), field.accounts()]);
      // Only the office takes an account off a phone: it must not look like a fault.
      if (now !== "lost" && used.current && !accounts.some(({ id }) => id === used.current))
        tell(said.current("sync.revoked"), "wrong");
      // Nor is it revoked where its invitation was opened in another tab, and goes on there.
      if (now === "new" && used.current === "") tell(said.current("error.spent_code"), "wrong");
      used.current = account?.id ?? null;
      if (now === "lost") setNews(null); // that it was saved is no longer so
      if (now === "open") {
        setNews(null); // what was wrong with a PIN is over
        setJoining(false);
        setCode("");
      }
      setLifecycle(now);
      setDemo(account?.demo ?? false);
      setShut(undefined);
    };
    const begin = () => look().catch(setShut);
    again.current = begin;
    begin();
    return field.onChange((change) => {
      if (change === "lifecycle") begin();
      if (change === "replaced") used.current = "";
      setNews((old) => (old?.kind === "gone" ? null : old)); // it may be back, or have come to another hamlet
    });
  }, [field, tell]);
  useEffect(() => {
    const moved = () => {
      setHash(location.hash);
      setNews((old) => (old && Date.now() - old.since > NEWS_TRAVELS ? null : old));
    };
    addEventListener("hashchange", moved);
    return () => removeEventListener("hashchange", moved);
  }, []);
  useEffect(() => updates.onWaiting(setUpdate), [updates]);
  useEffect(() => {
    Object.assign(preferences, { language, textSize });
    document.documentElement.dataset.text = textSize;
    wordsOf(language).then((found) => {
      setCatalogue(found);
      document.documentElement.lang = language;
    });
  }, [language, textSize]);

  const route = parse(hash);
  // A form is never interrupted: an update is offered where nothing is half filled in.
  const calm = lifecycle === "locked" || (lifecycle === "open" && route.at === "home");
  return (
    <AppContext.Provider value={app}>
      <button type="button" class="skip" onClick={skip}>
        {say("app.skip")}
      </button>
      <aside aria-label="Camket">
        {demo && <p class="demo">{say("app.demo")}</p>}
        {update !== null && calm && (
          <p class="update">
            {say("app.update", { kb: update / 1000 })}{" "}
            <button type="button" class="button" onClick={() => updates.take()}>
              {say("app.update.take")}
            </button>
          </p>
        )}
      </aside>
      <div class="screen" data-at={lifecycle === "open" ? route.at : lifecycle}>
        {shut !== undefined ? <Shut error={shut} onAgain={again.current} /> : stage()}
      </div>
      {/* Screens come and go; what is read aloud must stand in one that stays. */}
      <div class="aloud" role="status" aria-live="polite">
        {news?.message}
      </div>
    </AppContext.Provider>
  );

  function stage() {
    switch (lifecycle) {
      case "new":
        return <Join invited={code} />;
      case "joined":
        return <ChoosePin fresh onChosen={(pin) => field.setPin(pin)} />;
      case "rejoined":
        return <Resume />;
      case "locked":
        if (joining) return <Join invited={code} onCancel={() => setJoining(false)} />;
        return <Unlock onOther={() => setJoining(true)} />;
      case "lost":
        return <Lost />;
      case "open":
        return news?.kind === "gone" ? <Screen back title={news.message} children={null} /> : screen();
      default:
        return null; // not known yet
    }
  }

  function screen() {
    switch (route.at) {
      case "home":
        return <Home />;
      case "sync":
        return <Sync />;
      case "courier":
        return <Courier />;
      case "show":
        return <Show key="records" what="records" />;
      case "show-receipts":
        return <Show key="receipts" what="receipts" />;
      case "scan":
        return <Scan />;
      case "settings":
        return <Settings {...{ language, textSize }} onLanguage={setLanguage} onTextSize={setTextSize} />;
      case "hamlet":
        return <Hamlet key={route.hamlet} id={route.hamlet} />;
      case "add":
        return <AddHousehold hamlet={route.hamlet} />;
      case "meeting":
        return <Meeting hamlet={route.hamlet} />;
      case "household":
        return <Household key={route.household} hamlet={route.hamlet} id={route.household} />;
      case "edit":
        return <EditHousehold hamlet={route.hamlet} id={route.household} />;
      case "sign":
        return <Pledge key="sign" party={household(route.hamlet, route.household)} step={route.step} />;
      default:
        return <Registers route={route} />;
    }
  }
}

/** A button and no link: the fragment of the address is the app's route. */
function skip(): void {
  const content = document.getElementById("content");
  content?.setAttribute("tabindex", "-1");
  content?.focus();
}
