// Why a rule alarms, or why it does not: the answer in sentences, and below it what each part of the rule says.

import {
  explainAlarm,
  explainRule,
  type Alarm,
  type Condition,
  type ExplanationView,
  type FindingView,
  type InputView,
  type StepView,
} from "../api";
import { age, value } from "../format";
import { useScreen } from "../screen";
import { useWords } from "../text";
import { Dialog } from "./dialog";
import { useAsked } from "./use-asked";

/** Delays run while they are watched. */
export const EXPLAINED_EVERY_MS = 1_000;

const MARKS: Readonly<Record<Condition, string>> = { active: "✓", inactive: "✕", unknown: "?" };

/** How it stands with a rule, at a glance; also the order in which a reader wants to see them. */
export const STANDINGS = ["failed", "alarm", "due", "unknown", "quiet"] as const;
export type Standing = (typeof STANDINGS)[number];

export function standing({ alarm, failure, steps }: ExplanationView): Standing {
  if (failure) return "failed";
  if (alarm && alarm.state !== "normal") return "alarm";
  const findings = steps.flatMap(({ finding }) => (finding ? [finding] : []));
  if (findings.some(({ kind, due }) => kind === "delay" && due)) return "due";
  return findings.every(({ condition }) => condition === "inactive") ? "quiet" : "unknown";
}

/** The explanation of an alarm, asked for while it is shown. */
export function AlarmExplained({ alarm }: { alarm: Alarm }) {
  const words = useWords();
  const { answer, failed } = useAsked(
    () => explainAlarm(alarm.alarm_id),
    `${alarm.alarm_id} ${alarm.state}`,
    EXPLAINED_EVERY_MS,
  );
  if (!answer) return <p class="hint">{words.say(failed ? "explain.failed" : "explain.asking")}</p>;
  return (
    <section class="explanation" data-explained={alarm.alarm_id}>
      <p class="verdict">{words.of(answer.verdict)}</p>
      {answer.explanation && <Steps explanation={answer.explanation} />}
    </section>
  );
}

/** An alarm that is on no list of alarms (a shadow rule's), or a rule at a subject, explained in a window. */
export function WhyDialog({ alarm, close }: { alarm: Alarm; close(): void }) {
  const words = useWords();
  return (
    <Dialog title={words.of(alarm.text)} close={close} wide>
      <AlarmExplained alarm={alarm} />
    </Dialog>
  );
}

export function RuleDialog({ rule, subject, close }: { rule: string; subject: string; close(): void }) {
  const words = useWords();
  const { answer, failed } = useAsked(() => explainRule(rule, subject), `${rule} ${subject}`, EXPLAINED_EVERY_MS);
  return (
    <Dialog title={answer ? words.of(answer.text) : rule} close={close} wide>
      {answer ? (
        <section class="explanation">
          <p class="verdict">{words.of(answer.verdict)}</p>
          <Steps explanation={answer} />
        </section>
      ) : (
        <p class="hint">{words.say(failed ? "explain.failed" : "explain.asking")}</p>
      )}
    </Dialog>
  );
}

/** Every step of a rule with what was found; a rule without a ladder has one, and no heading for it. */
export function Steps({ explanation }: { explanation: ExplanationView }) {
  const words = useWords();
  const inputs = new Map(explanation.inputs.map((input) => [input.signal, input]));
  const ladder = explanation.steps.length > 1;
  return (
    <>
      {explanation.steps.map((step, place) => (
        <div key={place} class="step">
          {ladder && <StepHeading step={step} place={place} />}
          {step.finding ? (
            <ul class="findings">
              <Finding finding={step.finding} inputs={inputs} />
            </ul>
          ) : (
            <p class="hint">{words.say("explain.noSignals")}</p>
          )}
        </div>
      ))}
      <p class="hint">
        {words.say("alarm.rule")} <code>{explanation.rule}</code> · <code>{explanation.subject}</code>
        {explanation.mode === "shadow" && <> · {words.say("rules.shadow")}</>}
      </p>
    </>
  );
}

function StepHeading({ step, place }: { step: StepView; place: number }) {
  const words = useWords();
  return (
    <h4 class={step.decides ? "decides" : ""}>
      {words.say("explain.step", { n: place + 1, priority: words.say(`priority.${step.priority}`) })}
      {step.decides && <span> · {words.say("explain.decides")}</span>}
    </h4>
  );
}

function Finding({ finding, inputs }: { finding: FindingView; inputs: ReadonlyMap<string, InputView> }) {
  const words = useWords();
  return (
    <li class={`finding ${finding.condition}`}>
      <div class="found">
        <i class="mark" aria-hidden="true">
          {MARKS[finding.condition]}
        </i>
        <span>
          <span class="unseen">{words.say(`explain.${finding.condition}`)}: </span>
          {words.of(finding.text)}
          {finding.note && <span class="note"> {words.of(finding.note)}</span>}
        </span>
      </div>
      {finding.signals.map((signal) => {
        const input = inputs.get(signal);
        return input && <Input key={signal} input={input} />;
      })}
      {finding.parts.length > 0 && (
        <ul class="findings">
          {finding.parts.map((part, index) => (
            <Finding key={index} finding={part} inputs={inputs} />
          ))}
        </ul>
      )}
    </li>
  );
}

/** A reading is told with its age and quality, or it is not told as one. */
function Input({ input }: { input: InputView }) {
  const words = useWords();
  const { now } = useScreen();
  const { last } = input;
  return (
    <p class="input" data-input={input.signal}>
      <span class="of">
        {words.of(input.device)} · {words.of(input.label)}
      </span>
      <b class={last ? "" : "missing"}>{last ? value(words, last.value, input.unit) : words.say("device.never")}</b>
      {last && (
        <>
          <span class={`quality ${last.quality}`}>{words.say(`quality.${last.quality}`)}</span>
          <time>{words.say("common.ago", { age: age(words, now - Date.parse(last.receive_time)) })}</time>
        </>
      )}
    </p>
  );
}
