import { useMemo } from "preact/hooks";

import { pictureAddress, type Alarm, type CommandRecord, type Mark } from "../api";
import { elapsed, value } from "../format";
import { useDesk, useScreen } from "../screen";
import { useWords } from "../text";
import { isUnanswered } from "../world";
import { Acknowledge } from "./acknowledge";
import { Age } from "./age";
import { CommandChip } from "./command-chip";
import { MarkTags, VerdictTag } from "./tags";
import { useSame } from "./use-same";

const NO_MARKS: readonly Mark[] = [];

interface Props {
  alarm: Alarm;
  marks: readonly Mark[] | undefined;
  open(alarm: Alarm): void;
}

export function AlarmCard({ alarm, marks = NO_MARKS, open }: Props) {
  const commands = useSame(useScreen().facts.commandsOf(alarm));
  return useMemo(() => <Card alarm={alarm} marks={marks} commands={commands} open={open} />, [alarm, marks, commands, open]);
}

interface CardProps extends Props {
  marks: readonly Mark[];
  commands: readonly CommandRecord[];
}

function Card({ alarm, marks, commands, open }: CardProps) {
  const words = useWords();
  const { time } = useDesk();
  const { annunciated_time, source_time } = alarm.clock;
  return (
    <li
      class={`card ${alarm.alarm_class} ${isUnanswered(alarm) ? "calling" : ""} ${alarm.state}`}
      data-alarm={alarm.alarm_id}
    >
      <div class="card-head">
        <AlarmTags alarm={alarm} marks={marks} />
        <time class="grow right">
          {words.say("alarm.onset", { time: time(alarm.onset_time, alarm.site) })}
          <Age since={alarm.onset_time} />
        </time>
      </div>
      <div class="card-body">
        <AlarmBody alarm={alarm} commands={commands} open={open} />
        <div class="card-side">
          <Acknowledge alarm={alarm} />
          {annunciated_time && (
            <span class="clockwork">
              {words.say("alarm.clock", { time: elapsed(words, source_time, annunciated_time) })}
            </span>
          )}
        </div>
      </div>
    </li>
  );
}

/** Class, urgency and state of an alarm, and what is noteworthy about it. */
export function AlarmTags({ alarm, marks }: { alarm: Alarm; marks: readonly Mark[] }) {
  const words = useWords();
  return (
    <>
      <span class={`tag ${alarm.alarm_class}`}>{words.say(`class.${alarm.alarm_class}`)}</span>
      <span class="priority">{words.say(`priority.${alarm.priority}`)}</span>
      <span class="state">{words.say(`state.${alarm.state}`)}</span>
      {alarm.condition === "unknown" && <span class="doubt">{words.say("condition.unknown")}</span>}
      {alarm.activations > 1 && <span class="times">{words.say("alarm.times", { n: alarm.activations })}</span>}
      <MarkTags marks={marks} />
      <VerdictTag alarm={alarm} />
    </>
  );
}

interface BodyProps {
  alarm: Alarm;
  commands: readonly CommandRecord[];
  open(alarm: Alarm): void;
}

/** What an alarm says: picture, text, place, what was asked of actuators, and what to do. */
export function AlarmBody({ alarm, commands, open }: BodyProps) {
  const words = useWords();
  const text = words.of(alarm.text);
  return (
    <>
      {alarm.picture && (
        <button type="button" class="thumb" title={words.say("alarm.details")} onClick={() => open(alarm)}>
          <img src={pictureAddress(alarm.picture)} alt={words.say("alarm.picture", { text })} />
        </button>
      )}
      <div class="card-text">
        <button type="button" class="headline" title={words.say("alarm.details")} onClick={() => open(alarm)}>
          {text}
        </button>
        <p class="place">
          {words.of(alarm.place)}
          {alarm.value !== null && <b> {value(words, alarm.value, alarm.unit)}</b>}
        </p>
        {commands.length > 0 && (
          <ul class="commands">
            {commands.map((record) => (
              <CommandChip key={record.command.command_id} record={record} />
            ))}
          </ul>
        )}
        {isUnanswered(alarm) && <p class="advice">{words.of(alarm.advice)}</p>}
      </div>
    </>
  );
}
