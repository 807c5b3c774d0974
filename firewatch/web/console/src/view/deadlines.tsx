import { deadlines, type Alarm, type Measured } from "../api";
import { elapsed } from "../format";
import { useDesk, useNow } from "../screen";
import { useWords } from "../text";
import { useAsked } from "./use-asked";

/** What is not there yet may come at any moment. */
const ASKED_EVERY_MS = 2_000;
/** How standards that could not be held against their text are marked. */
const UNCONFIRMED = " (unconfirmed)";

/** The stages of an alarm's way with their times, and how they stand against the limits of the standards. */
export function Deadlines({ alarm }: { alarm: Alarm }) {
  const words = useWords();
  const { answer, failed } = useAsked(() => deadlines(alarm.alarm_id), alarm.alarm_id, ASKED_EVERY_MS);
  if (!answer) return <p class="hint">{words.say(failed ? "alarm.history.none" : "explain.asking")}</p>;
  const [newest, ...earlier] = answer.toReversed();
  if (!newest) return <p class="hint">{words.say("deadline.none")}</p>;
  return (
    <>
      <Way way={newest} site={alarm.site} />
      {earlier.length > 0 && (
        <details>
          <summary>{words.say("deadline.earlier", { n: earlier.length })}</summary>
          {earlier.map((way, place) => (
            <Way key={place} way={way} site={alarm.site} />
          ))}
        </details>
      )}
    </>
  );
}

export function Way({ way, site }: { way: Measured; site: string }) {
  const words = useWords();
  const { time } = useDesk();
  const source = way.steps[0]?.reached_time;
  return (
    <div class={`way ${way.verdict}`} data-way={way.verdict}>
      <ol class="stages">
        {way.steps.map(({ stage, reached_time }) => (
          <li
            key={stage}
            class={`${reached_time ? "reached" : ""} ${stage === way.slow_stage ? "slow" : ""}`}
            data-stage={stage}
          >
            <b>{words.say(`milestone.${stage}`)}</b>
            <time>{reached_time ? time(reached_time, site) : words.say("deadline.not_yet")}</time>
            <small>
              {source && reached_time && `+${elapsed(words, source, reached_time)}`}
              {stage === way.slow_stage && <em>{words.say("deadline.slow")}</em>}
            </small>
          </li>
        ))}
      </ol>
      <ul class="limits">
        {way.deadlines.map((deadline) => (
          <Limit key={`${deadline.limit.since} ${deadline.limit.stage}`} way={way} deadline={deadline} />
        ))}
      </ul>
    </div>
  );
}

/** One limit: what it counts, how much of it was used, and the word on it. */
function Limit({ way, deadline }: { way: Measured; deadline: Measured["deadlines"][number] }) {
  const words = useWords();
  const now = useNow();
  const { limit, due_time, reached_time, verdict } = deadline;
  const since = way.steps.find(({ stage }) => stage === limit.since)?.reached_time;
  const start = since ? Date.parse(since) : Date.parse(due_time);
  const within = Date.parse(due_time) - start;
  const used = (reached_time ? Date.parse(reached_time) : now) - start;
  const clause = limit.clause.replaceAll(UNCONFIRMED, words.say("deadline.unconfirmed"));
  return (
    <li class={verdict} data-limit={limit.stage}>
      <span class="what">
        {words.say("deadline.limit", {
          since: words.say(`milestone.${limit.since}`),
          stage: words.say(`milestone.${limit.stage}`),
          n: within / 1_000,
        })}
        <small>{clause}</small>
      </span>
      <span class="bar" aria-hidden="true">
        <i style={{ width: `${within > 0 ? Math.min(100, Math.max(1, (used / within) * 100)) : 100}%` }} />
      </span>
      <span class="verdict">
        {words.say(`deadline.${verdict}`)}
        {since && reached_time && <small>{elapsed(words, since, reached_time)}</small>}
      </span>
    </li>
  );
}
