/** On the home screen: what the office says, and what it sent back. Nothing where there is nothing. */
import { ofRecord, print } from "../../../core/route.ts";
import { hamletName } from "../../../core/wording.ts";
import type { HamletView } from "../../../data/contract.ts";
import type { BulletinView, Registers, ReturnedView } from "../../../data/registers/contract.ts";
import { useApp } from "../../context.ts";

interface News {
  readonly bulletins: readonly BulletinView[];
  readonly returned: readonly ReturnedView[];
}

/** More than these are one tap away: the way to the hamlets stays short. */
const FIRST = 2;

export async function readNews(registers: Registers, today: string): Promise<News> {
  const [bulletins, returned] = await Promise.all([registers.bulletins(today), registers.returned()]);
  return { bulletins, returned };
}

interface Props {
  readonly news: News;
  readonly hamlets: readonly HamletView[];
}

export function Board({ news, hamlets }: Props) {
  const { say } = useApp();
  const { bulletins, returned } = news;
  const unread = bulletins.filter(({ read }) => !read);
  const [newest] = unread;
  return (
    <>
      {returned.length > 0 && (
        <section class="warning" aria-label={say("board.returned")}>
          <p>
            <strong>
              <span aria-hidden="true">↩</span> {say("board.returned")} ({returned.length})
            </strong>
          </p>
          {rows(returned.slice(0, FIRST))}
          {returned.length > FIRST && (
            <details>
              <summary>{say("board.more", { n: returned.length - FIRST })}</summary>
              {rows(returned.slice(FIRST))}
            </details>
          )}
        </section>
      )}
      {bulletins.length > 0 && (
        <a class="row" href={print({ at: "bulletins" })}>
          <strong>{newest ? newest.title : say("board.bulletins")}</strong>
          {newest ? (
            <>
              <span class="place">{say("board.bulletins")}</span>
              <span class="new">{say("board.unread", { n: unread.length })}</span>
            </>
          ) : (
            <span class="place">{bulletins.length}</span>
          )}
        </a>
      )}
    </>
  );

  function rows(some: readonly ReturnedView[]) {
    return (
      <ul class="rows">
        {some.map((one) => {
          const hamlet = hamlets.find(({ id }) => id === one.hamlet);
          return (
            <li key={`${one.kind} ${one.id}`}>
              <a class="row" href={print(ofRecord(one.kind, one.hamlet, one.id))}>
                <strong>{one.name}</strong>
                <span class="place">
                  {[say(`review.record.${one.kind}`), hamlet && hamletName(hamlet)]
                    .filter(Boolean)
                    .join(" · ")}
                </span>
                {one.comment && <span class="said">{one.comment}</span>}
              </a>
            </li>
          );
        })}
      </ul>
    );
  }
}
