/** Photographs within a form: take or choose, see them small, take them out again. */
import type { ComponentChildren } from "preact";
import { useEffect, useId, useRef, useState } from "preact/hooks";
import { FieldError } from "../data/contract.ts";
import { useApp, useExplain, useWork } from "./context.ts";
import { Button, Warning } from "./parts.tsx";

interface Props {
  readonly hamlet: string;
  /** Names the place in the form, as the form's draft is named: "inspect/napo/…/item". */
  readonly name: string;
  readonly label: ComponentChildren;
  /** SHA-256 of each picture, in the order in which they were added. */
  readonly photos: readonly string[];
  /** Called when a picture is on the phone's disk, or was taken out; the form keeps its draft then. */
  readonly onChange: (photos: readonly string[]) => void;
  readonly most: number;
  readonly wrong?: string | null;
}

export function Photos({ hamlet, name, label, photos, onChange, most, wrong }: Props) {
  const { field, say, tell } = useApp();
  const [busy, work] = useWork();
  const [lost, camera] = useCamera(name);
  const latest = useRef(photos);
  latest.current = photos;
  const id = useId();
  const add = (files: readonly File[]) =>
    work(async () => {
      camera.closed();
      for (const file of files.slice(0, most - latest.current.length)) {
        const sha256 = await field.addPhoto(hamlet, file, latest.current);
        if (latest.current.includes(sha256)) continue;
        latest.current = [...latest.current, sha256];
        onChange(latest.current);
      }
      tell(say("photo.added"));
    });
  const remove = (sha256: string) => {
    onChange(photos.filter((one) => one !== sha256));
    field.dropPhoto(sha256).catch(() => {}); // what stays is forgotten later: no form names it
  };
  return (
    <fieldset class="photos" aria-describedby={wrong ? `${id}-wrong` : undefined}>
      <legend>{label}</legend>
      <Warning>{say("photo.warning")}</Warning>
      {lost && <p class="hint">{say("photo.lost")}</p>}
      {photos.length > 0 && (
        <ul class="thumbs">
          {photos.map((sha256, i) => (
            <li key={sha256}>
              <Thumb hamlet={hamlet} sha256={sha256} alt={say("photo.one", { n: i + 1 })} />
              <button type="button" class="button" onClick={() => remove(sha256)}>
                {say("photo.remove", { n: i + 1 })}
              </button>
            </li>
          ))}
        </ul>
      )}
      <div role="status">{busy && say("photo.working")}</div>
      {photos.length < most ? (
        <>
          <Source label={say("photo.take")} camera onOpen={camera.opened} onFiles={add} />
          <Source label={say("photo.choose")} onOpen={camera.opened} onFiles={add} />
        </>
      ) : (
        <p class="hint">{say("photo.enough", { n: most })}</p>
      )}
      {wrong && (
        <p class="wrong" id={`${id}-wrong`}>
          {wrong}
        </p>
      )}
    </fieldset>
  );
}

interface ThumbProps {
  readonly hamlet: string;
  readonly sha256: string;
  readonly alt: string;
}

/** A picture that this phone has, as large as its place allows; of another it says so, and fetches it when asked. */
export function Thumb({ hamlet, sha256, alt }: ThumbProps) {
  const { field, say, tell } = useApp();
  const explain = useExplain();
  const [url, setUrl] = useState<string | null>();
  const [busy, work] = useWork();
  useEffect(() => {
    let on = true;
    field.photo(sha256).then((made) => {
      if (on) setUrl(made);
      else if (made) URL.revokeObjectURL(made);
    }, explain);
    return () => {
      on = false;
    };
  }, [sha256]);
  useEffect(() => () => (url ? URL.revokeObjectURL(url) : undefined), [url]);
  const fetch = () =>
    work(async () => {
      try {
        setUrl(await field.fetchPhoto(hamlet, sha256));
      } catch (error) {
        if (!(error instanceof FieldError && error.code === "missing")) throw error;
        tell(say("photo.not_there"), "wrong");
      }
    });
  if (url) return <img class="thumb" src={url} alt={alt} onError={() => setUrl(null)} />;
  if (url === undefined) return <span class="thumb" />;
  return (
    <div class="elsewhere">
      <p class="hint">{say("photo.elsewhere")}</p>
      <Button busy={busy} onClick={fetch}>
        {say(busy ? "photo.fetching" : "photo.fetch")}
      </Button>
    </div>
  );
}

interface SourceProps {
  readonly label: string;
  readonly camera?: boolean;
  readonly onOpen: () => void;
  readonly onFiles: (files: readonly File[]) => void;
}

/** A button that is a file input underneath: the one way to the phone's own camera app. */
function Source({ label, camera = false, onOpen, onFiles }: SourceProps) {
  return (
    <label class="button source">
      <input
        type="file"
        accept="image/*"
        multiple={!camera}
        {...(camera ? { capture: "environment" } : {})}
        onClick={onOpen}
        onChange={(event) => {
          const files = [...(event.currentTarget.files ?? [])];
          event.currentTarget.value = ""; // the same picture may be chosen again
          if (files.length > 0) onFiles(files);
        }}
      />
      <span>{label}</span>
    </label>
  );
}

/**
 * Android may end the app while the camera is open, and the picture does not come back then. A note that outlives
 * the app says so to the person who returns to the form.
 */
function useCamera(name: string) {
  const { field } = useApp();
  const [lost, setLost] = useState(false);
  const note = (open: boolean) => {
    field.keepDraft(`camera/${name}`, open || null).catch(() => {}); // only the hint would be missing
  };
  useEffect(() => {
    field
      .draft(`camera/${name}`)
      .then((open) => open && setLost(true))
      .catch(() => {});
    return () => note(false);
  }, [name]);
  const closed = () => {
    setLost(false);
    note(false);
  };
  return [lost, { opened: () => note(true), closed }] as const;
}
