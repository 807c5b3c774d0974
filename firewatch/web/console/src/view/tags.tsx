import type { Alarm, Mark } from "../api";
import { useDesk } from "../screen";
import { useWords } from "../text";

/** That an alarm chatters, is fleeting or stale, with what that means. */
export function MarkTags({ marks }: { marks: readonly Mark[] }) {
  const words = useWords();
  return (
    <>
      {marks.map((mark) => (
        <span key={mark} class="mark-tag" title={words.say(`mark.${mark}.means`)}>
          {words.say(`mark.${mark}`)}
        </span>
      ))}
    </>
  );
}

/** What somebody said it was. */
export function VerdictTag({ alarm: { confirmation, site } }: { alarm: Alarm }) {
  const words = useWords();
  const { time } = useDesk();
  if (!confirmation) return null;
  const said = words.say("verdict.by", { who: confirmation.by, time: time(confirmation.confirmed_time, site) });
  return (
    <span class={`verdict-tag ${confirmation.verdict}`} title={confirmation.comment ? `${said}: ${confirmation.comment}` : said}>
      {words.say(`verdict.${confirmation.verdict}`)} <small>{confirmation.by}</small>
    </span>
  );
}
