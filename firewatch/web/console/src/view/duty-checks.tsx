// Whether anybody was there when somebody asked, and how long it took to say so.

import { answerDutyCheck, type DutyCheck } from "../api";
import { dutyChecks } from "../control-room";
import { age, elapsed, remaining } from "../format";
import { useDesk, useNow } from "../screen";
import { useWords } from "../text";
import { useAsked } from "./use-asked";
import { Trouble, useRequest } from "./use-request";

const ASKED_EVERY_MS = 3_000;
const LISTED = 50;

export function DutyChecks({ seat }: { seat: string }) {
  const words = useWords();
  const { answer, failed, again } = useAsked(() => dutyChecks(seat, LISTED), seat, ASKED_EVERY_MS);
  const seconds = (taken: number | null): string => (taken === null ? "–" : age(words, taken * 1_000));
  return (
    <section class="block" data-duty-checks>
      <h2>{words.say("checks.title")}</h2>
      {!answer && <p class="hint">{words.say(failed ? "log.failed" : "room.asking")}</p>}
      {answer?.duty_checks.length === 0 && <p class="hint">{words.say("checks.none")}</p>}
      {answer && answer.duty_checks.length > 0 && (
        <>
          <dl class="facts">
            <Fact label={words.say("checks.median")} value={seconds(answer.figures.median_answer_seconds)} />
            <Fact label={words.say("checks.longest")} value={seconds(answer.figures.longest_answer_seconds)} />
            <Fact label={words.say("checks.answered")} value={answer.figures.answered} />
            <Fact label={words.say("checks.missed")} value={answer.figures.missed} wrong={answer.figures.missed > 0} />
          </dl>
          <ol class="listed checks">
            {answer.duty_checks.map((check, place) => (
              <Check key={check.check_id} check={check} newest={place === 0} again={again} />
            ))}
          </ol>
        </>
      )}
    </section>
  );
}

function Fact({ label, value, wrong = false }: { label: string; value: string | number; wrong?: boolean }) {
  return (
    <div class={wrong ? "wrong" : ""}>
      <dt>{label}</dt>
      <dd>{value}</dd>
    </div>
  );
}

/** The newest one that was missed waits for whoever comes back. */
function Check({ check, newest, again }: { check: DutyCheck; newest: boolean; again(): void }) {
  const words = useWords();
  const now = useNow();
  const { moment, live } = useDesk();
  const { ask, asking, trouble } = useRequest();
  const ended = check.ended_time;
  const late = check.late_answer_time;
  const mayAnswer = newest && check.state === "missed" && late === null;
  return (
    <li class={check.state} data-check={check.check_id}>
      <span class="grow">{check.asked_by}</span>
      <span class="outcome">
        {check.state === "asked"
          ? words.say("checks.waits", { time: remaining(Date.parse(check.until_time) - now) })
          : check.state === "answered" && ended
            ? words.say("checks.answeredBy", { who: check.answered_by ?? "", time: elapsed(words, check.asked_time, ended) })
            : words.say(`checks.${check.state}`)}
        {late && (
          <span class="resting">
            {" "}
            {words.say("checks.late", { who: check.answered_by ?? "", time: moment(late, check.site || undefined) })}
          </span>
        )}
      </span>
      {mayAnswer && (
        <button
          type="button"
          class="plain"
          disabled={asking || !live}
          onClick={() => ask((operator) => answerDutyCheck(operator, check.check_id), again)}
        >
          {words.say("checks.back")}
        </button>
      )}
      <Trouble trouble={trouble} />
      <time>{moment(check.asked_time, check.site || undefined)}</time>
    </li>
  );
}
