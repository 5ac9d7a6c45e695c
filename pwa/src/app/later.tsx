/**
 * Screens that are loaded when they are first opened: who walks from door to door does not wait for them. The service
 * worker keeps them from the first visit on, so that they open without a signal too.
 */
import type { ComponentType } from "preact";
import { useEffect, useState } from "preact/hooks";
import { useApp } from "./context.ts";
import { Button, Loading, Screen } from "./parts.tsx";
import { moreWords } from "./words.ts";

/** A screen in place of one that is still to be loaded: after a moment it says that it opens. */
export function later<P extends object>(load: () => Promise<ComponentType<P>>) {
  let known: ComponentType<P> | undefined;
  return function Later(props: P) {
    const { say } = useApp();
    const [Loaded, set] = useState<ComponentType<P> | undefined>(() => known);
    const [failed, setFailed] = useState(false);
    const begin = () => {
      setFailed(false);
      Promise.all([load(), moreWords()]).then(
        ([component]) => {
          known = component;
          set(() => component);
        },
        () => setFailed(true),
      );
    };
    useEffect(() => {
      if (!Loaded) begin();
    }, []);
    if (Loaded) return <Loaded {...props} />;
    if (!failed) return <Loading />;
    return (
      <Screen back title={say("later.failed")}>
        <Button onClick={begin}>{say("action.again")}</Button>
      </Screen>
    );
  };
}
