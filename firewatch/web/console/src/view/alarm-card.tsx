import { pictureAddress, type Alarm } from "../api";
import { age, elapsed, value } from "../format";
import { useScreen } from "../screen";
import { useWords } from "../text";
import { isUnanswered } from "../world";
import { Acknowledge } from "./acknowledge";
import { CommandChip } from "./command-chip";

interface Props {
  alarm: Alarm;
  open(): void;
}

export function AlarmCard({ alarm, open }: Props) {
  const words = useWords();
  const { facts, now, live, time } = useScreen();
  const commands = facts.commandsOf(alarm);
  const text = words.of(alarm.text);
  const { annunciated_time, source_time } = alarm.clock;
  return (
    <li
      class={`card ${alarm.alarm_class} ${isUnanswered(alarm) ? "calling" : ""} ${alarm.state}`}
      data-alarm={alarm.alarm_id}
    >
      <div class="card-head">
        <span class={`tag ${alarm.alarm_class}`}>{words.say(`class.${alarm.alarm_class}`)}</span>
        <span class="priority">{words.say(`priority.${alarm.priority}`)}</span>
        <span class="state">{words.say(`state.${alarm.state}`)}</span>
        {alarm.condition === "unknown" && <span class="doubt">{words.say("condition.unknown")}</span>}
        {alarm.activations > 1 && <span class="times">{words.say("alarm.times", { n: alarm.activations })}</span>}
        <time class="grow right">
          {words.say("alarm.onset", { time: time(alarm.onset_time, alarm.site) })}
          {live && (
            <span class="age"> {words.say("alarm.age", { age: age(words, now - Date.parse(alarm.onset_time)) })}</span>
          )}
        </time>
      </div>
      <div class="card-body">
        {alarm.picture && (
          <button type="button" class="thumb" title={words.say("alarm.details")} onClick={open}>
            <img src={pictureAddress(alarm.picture)} alt={words.say("alarm.picture", { text })} />
          </button>
        )}
        <div class="card-text">
          <button type="button" class="headline" title={words.say("alarm.details")} onClick={open}>
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
