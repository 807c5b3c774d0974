// One drill: while it goes on its steps as they come, and at the end what was expected against what came.

import { drill, stopDrill, type Drill, type DrillReport, type Expected } from "../drills";
import { age, elapsed, remaining } from "../format";
import { useDesk, useNow, useScreen } from "../screen";
import { useWords, type Words } from "../text";
import { Way } from "./deadlines";
import { DeviceName, ExpectationText, useReadingText } from "./drill-words";
import { useAsked } from "./use-asked";
import { Trouble, useRequest } from "./use-request";

const ASKED_EVERY_MS = 1_000;
const MARKS = { pass: "✓", late: "✕", not_yet: "…" } as const;

export function DrillShown({ drillId }: { drillId: string }) {
  const words = useWords();
  const { world } = useScreen();
  const { answer, failed, again } = useAsked(() => drill(drillId), drillId, ASKED_EVERY_MS);
  if (!answer) {
    return (
      <section class="block">
        <p class="hint">{words.say(failed ? "drills.unknown" : "room.asking")}</p>
      </section>
    );
  }
  const until = world.drill?.drill.drill_id === drillId ? world.drill.until_time : null;
  return (
    <section class="panel scroll drill-shown" aria-label={words.say("drills.report")} data-shown={drillId}>
      <Head drill={answer.drill} report={answer.report} until={until} again={again} />
      {answer.report && <Report drill={answer.drill} report={answer.report} />}
    </section>
  );
}

interface HeadProps {
  drill: Drill;
  report: DrillReport | null;
  /** When it is over at the latest, while it goes on. */
  until: string | null;
  again(): void;
}

function Head({ drill: one, report, until, again }: HeadProps) {
  const words = useWords();
  const now = useNow();
  const { moment, live } = useDesk();
  const { ask, asking, trouble } = useRequest();
  const begun = Date.parse(one.begun_time);
  const going = one.ended_time === null;
  const verdict = going || !report ? "" : report.passed ? "passed" : "not-passed";
  return (
    <div class={`block drill-head ${going ? "going" : verdict}`}>
      <header>
        <h2>{report ? words.of(report.label) : one.plan}</h2>
        {going ? (
          <button
            type="button"
            class="stop"
            disabled={asking || !live}
            onClick={() => ask((operator) => stopDrill(operator, one.drill_id), again)}
          >
            {words.say("drills.stop")}
          </button>
        ) : (
          <b class="verdict-word">{verdict && words.say(report?.passed ? "drills.passed" : "drills.notPassed")}</b>
        )}
      </header>
      <p>
        <span class="drill-word">{words.say("drills.isDrill")}</span>{" "}
        {words.say("drills.begun", { who: one.by, time: moment(one.begun_time) })}
        {one.ended_time !== null && (
          <>
            {" · "}
            {one.outcome && words.say(`outcome.drill.${one.outcome}`)}{" "}
            {words.say("drills.afterTime", { time: elapsed(words, one.begun_time, one.ended_time) })}
          </>
        )}
      </p>
      {report?.detail && <p class="technical">{report.detail}</p>}
      {going && until !== null && (
        <p class="turn-over">
          <progress max={Date.parse(until) - begun} value={Math.max(now - begun, 0)} aria-hidden="true" />
          <span>{words.say("drills.left", { time: remaining(Date.parse(until) - now) })}</span>
        </p>
      )}
      {!going && !report && <p class="hint">{words.say("drills.noReport")}</p>}
      <Trouble trouble={trouble} />
    </div>
  );
}

function Report({ drill: one, report }: { drill: Drill; report: DrillReport }) {
  const words = useWords();
  const came = report.expected.filter(({ verdict }) => verdict === "pass").length;
  return (
    <>
      <div class="block" data-expected>
        <header>
          <h2>{words.say("drills.expected")}</h2>
          <span class="resting">{words.say("drills.came", { n: came, all: report.expected.length })}</span>
        </header>
        {report.expected.length === 0 && <p class="hint">{words.say("drills.nothingExpected")}</p>}
        <ol class="listed verdicts">
          {report.expected.map((expected, place) => (
            <ExpectedRow key={place} expected={expected} begun={one.begun_time} />
          ))}
        </ol>
      </div>
      <Readings drill={one} report={report} />
      <div class="block" data-drill-alarms>
        <h2>{words.say("drills.alarms")}</h2>
        {report.alarms.length === 0 && <p class="hint">{words.say("drills.noAlarms")}</p>}
        {report.alarms.map(({ alarm, way }) => (
          <div key={alarm.alarm_id} class="drill-alarm">
            <p>
              <i class={`dot alarm ${alarm.alarm_class}`} aria-hidden="true" />
              <b>{words.say("common.at", { text: words.of(alarm.text), place: words.of(alarm.place) })}</b>
              <span class="resting">{since(words, one.begun_time, alarm.clock.decided_time)}</span>
            </p>
            {way && <Way way={way} site={alarm.site} />}
          </div>
        ))}
      </div>
      <Commands drill={one} report={report} />
      <Messages drill={one} report={report} />
    </>
  );
}

const since = (words: Words, begun: string, time: string): string => `+${elapsed(words, begun, time)}`;

function ExpectedRow({ expected, begun }: { expected: Expected; begun: string }) {
  const words = useWords();
  const { expectation, due_time, met_time, verdict } = expected;
  return (
    <li class={verdict} data-verdict={verdict}>
      <span>
        <i class="mark" aria-hidden="true">
          {MARKS[verdict]}
        </i>
        <ExpectationText expectation={expectation} />
      </span>
      <span class="resting">{words.say("drills.within", { time: age(words, Date.parse(due_time) - Date.parse(begun)) })}</span>
      <b>{met_time ? since(words, begun, met_time) : words.say(`deadline.${verdict}`)}</b>
    </li>
  );
}

/** The same reading again and again is one step. */
function Readings({ drill: one, report }: { drill: Drill; report: DrillReport }) {
  const words = useWords();
  const readingText = useReadingText(report.site);
  const sent = report.readings.filter(({ sent_time }) => sent_time !== null).length;
  const steps: { text: string; all: number; sent: number; first: string | null }[] = [];
  for (const { planned, sent_time } of report.readings) {
    const text = readingText(planned);
    const last = steps.at(-1);
    if (last?.text === text) {
      last.all += 1;
      last.sent += sent_time === null ? 0 : 1;
    } else steps.push({ text, all: 1, sent: sent_time === null ? 0 : 1, first: sent_time });
  }
  return (
    <div class="block" data-readings>
      <header>
        <h2>{words.say("drills.steps")}</h2>
        <span class="resting">{words.say("drills.sent", { n: sent, all: report.readings.length })}</span>
      </header>
      <ol class="listed steps">
        {steps.map(({ text, all, sent: done, first }, place) => (
          <li key={place} class={done === 0 ? "waits" : done < all ? "now" : ""}>
            <span>{text}</span>
            {all > 1 && (
              <span class="resting">
                {done < all ? `${done}/` : ""}
                {all} ×
              </span>
            )}
            <b>{first ? since(words, one.begun_time, first) : words.say("deadline.not_yet")}</b>
          </li>
        ))}
      </ol>
    </div>
  );
}

function Commands({ drill: one, report }: { drill: Drill; report: DrillReport }) {
  const words = useWords();
  const { action } = useDesk();
  return (
    <div class="block" data-drill-commands>
      <h2>{words.say("drills.commands")}</h2>
      {report.commands.length === 0 && <p class="hint">{words.say("drills.noCommands")}</p>}
      <ol class="listed">
        {report.commands.map(({ command, state, proven_time, withheld }) => {
          const label = action(command.device, command.action)?.label;
          return (
            <li key={command.command_id} class={withheld === null ? "" : "withheld"}>
              <span>
                <DeviceName device={command.device} />: {label ? words.of(label) : words.word("action", command.action)}
              </span>
              <span class={`reached ${state ?? ""}`}>
                {withheld === null ? state && words.say(`reached.${state}`) : words.say(`withheld.${withheld}`)}
              </span>
              <b>{since(words, one.begun_time, proven_time ?? command.issued_time)}</b>
            </li>
          );
        })}
      </ol>
    </div>
  );
}

function Messages({ drill: one, report }: { drill: Drill; report: DrillReport }) {
  const words = useWords();
  if (report.messages.length === 0) return null;
  return (
    <div class="block" data-drill-messages>
      <h2>{words.say("drills.messages")}</h2>
      <ol class="listed">
        {report.messages.map(({ target, alarm_id, state, ended_time, withheld }, place) => {
          const alarm = report.alarms.find((found) => found.alarm.alarm_id === alarm_id)?.alarm;
          return (
            <li key={place} class={withheld === null ? "" : "withheld"}>
              <span>
                {target} {alarm && <span class="resting">{words.of(alarm.text)}</span>}
              </span>
              <span class={`delivery-state ${state ?? ""}`}>
                {withheld === null ? state && words.say(`delivery.${state}`) : words.say(`withheld.${withheld}`)}
              </span>
              <b>{ended_time ? since(words, one.begun_time, ended_time) : ""}</b>
            </li>
          );
        })}
      </ol>
    </div>
  );
}
