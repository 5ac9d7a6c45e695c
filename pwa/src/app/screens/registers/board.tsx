/** On the home screen: what the office says, and what it sent back. Nothing where there is nothing. */
import { ofRecord, print } from "../../../core/route.ts";
import { localDay } from "../../../core/wording.ts";
import { useApp } from "../../context.ts";
import { useRegisters } from "./parts.tsx";

export function Board() {
  const { say } = useApp();
  const board = useRegisters(async (registers) => {
    const [bulletins, returned] = await Promise.all([
      registers.bulletins(localDay(Date.now())),
      registers.returned(),
    ]);
    return { bulletins, unread: bulletins.filter(({ read }) => !read), returned };
  });
  if (!board) return null;
  const { bulletins, unread, returned } = board;
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
          <ul class="rows">
            {returned.map((one) => (
              <li key={`${one.kind} ${one.id}`}>
                <a class="row" href={print(ofRecord(one.kind, one.hamlet, one.id))}>
                  <strong>{one.name}</strong>
                  <span class="place">{say(`review.record.${one.kind}`)}</span>
                  {one.comment && <span>{one.comment}</span>}
                </a>
              </li>
            ))}
          </ul>
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
}
