import { useEffect, useState } from "preact/hooks";

import { pictureAddress, transitions, type Alarm, type AlarmClock, type AlarmTransition } from "../api";
import { elapsed, value } from "../format";
import { useScreen } from "../screen";
import { useWords } from "../text";
import { commandsOf } from "../world";
import { Acknowledge } from "./acknowledge";
import { CommandChip } from "./command-chip";
import { Dialog } from "./dialog";

const STAGES = ["source_time", "receive_time", "decided_time", "annunciated_time", "journalled_time"] as const satisfies
  readonly (keyof AlarmClock)[];

interface Props {
  alarm: Alarm;
  live: boolean;
  close(): void;
}

export function AlarmDetails({ alarm, live, close }: Props) {
  const words = useWords();
  const { world, time } = useScreen();
  const [changes, setChanges] = useState<AlarmTransition[] | "unreadable">([]);

  useEffect(() => {
    transitions(alarm.alarm_id).then(setChanges, () => setChanges("unreadable"));
  }, [alarm, live]);

  const text = words.of(alarm.text);
  const commands = commandsOf(world, alarm);
  return (
    <Dialog title={words.say("common.at", { text, place: words.of(alarm.place) })} close={close} wide>
      <div class={alarm.picture ? "details with-picture" : "details"}>
        {alarm.picture && (
          <img class="evidence" src={pictureAddress(alarm.picture)} alt={words.say("alarm.picture", { text })} />
        )}
        <div>
          <p class="card-head">
            <span class={`tag ${alarm.alarm_class}`}>{words.say(`class.${alarm.alarm_class}`)}</span>
            <span class="priority">{words.say(`priority.${alarm.priority}`)}</span>
            <span class="state">{words.say(`state.${alarm.state}`)}</span>
            {alarm.value !== null && (
              <span>
                {words.say("alarm.value")} <b>{value(words, alarm.value, alarm.unit)}</b>
              </span>
            )}
          </p>
          <h3>{words.say("alarm.advice")}</h3>
          <p>{words.of(alarm.advice)}</p>
          {alarm.state !== "normal" && (
            <div class="answer">
              <Acknowledge alarm={alarm} />
            </div>
          )}
          {commands.length > 0 && (
            <ul class="commands">
              {commands.map((record) => (
                <CommandChip key={record.command.command_id} record={record} />
              ))}
            </ul>
          )}
          <h3>{words.say("alarm.history")}</h3>
          {changes === "unreadable" ? (
            <p>{words.say("alarm.history.none")}</p>
          ) : (
            <table>
              <tbody>
                {changes.map((change) => (
                  <tr key={change.number}>
                    <td>{time(change.transition_time)}</td>
                    <td>{words.word("reason", change.reason)}</td>
                    <td>{words.say(`state.${change.alarm.state}`)}</td>
                    <td>{change.by}</td>
                    <td>{change.comment}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          )}
          <h3>{words.say("alarm.stages")}</h3>
          <table>
            <tbody>
              {STAGES.map((stage) => {
                const reached = alarm.clock[stage];
                return (
                  <tr key={stage}>
                    <td>{words.say(`stage.${stage}`)}</td>
                    <td>{reached ? time(reached) : ""}</td>
                    <td>{reached ? `+${elapsed(words, alarm.clock.source_time, reached)}` : ""}</td>
                  </tr>
                );
              })}
            </tbody>
          </table>
          <p class="hint">
            {words.say("alarm.rule")} <code>{alarm.rule}</code> · <code>{alarm.subject}</code> ·{" "}
            <code>{alarm.alarm_id}</code>
          </p>
        </div>
      </div>
    </Dialog>
  );
}
