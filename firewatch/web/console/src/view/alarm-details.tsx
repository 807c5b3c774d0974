import { useEffect, useState } from "preact/hooks";

import { pictureAddress, transitions, type Alarm, type AlarmTransition, type Mark } from "../api";
import { value } from "../format";
import { useDesk, useScreen } from "../screen";
import { useWords } from "../text";
import { stands } from "../world";
import { Acknowledge } from "./acknowledge";
import { AlarmTags } from "./alarm-card";
import { Broadcast } from "./broadcast";
import { CommandChip } from "./command-chip";
import { Deadlines } from "./deadlines";
import { Dialog } from "./dialog";
import { DrillTag } from "./drill";
import { AlarmExplained } from "./explanation";
import { Hiding } from "./hiding";
import { Operate } from "./operate";

/** The feed is quicker than the history: what it has just told is looked up there again after this time. */
const HISTORY_MS = 1_000;

interface Props {
  alarm: Alarm;
  marks?: readonly Mark[];
  close(): void;
}

export function AlarmDetails({ alarm, marks = [], close }: Props) {
  const words = useWords();
  const { facts } = useScreen();
  const text = words.of(alarm.text);
  const commands = facts.commandsOf(alarm);
  return (
    <Dialog title={words.say("common.at", { text, place: words.of(alarm.place) })} close={close} wide>
      <div class={alarm.picture ? "details with-picture" : "details"}>
        {alarm.picture && (
          <img class="evidence" src={pictureAddress(alarm.picture)} alt={words.say("alarm.picture", { text })} />
        )}
        <div>
          <p class="card-head">
            {alarm.drill !== null && <DrillTag />}
            <AlarmTags alarm={alarm} marks={marks} />
            {alarm.value !== null && (
              <span>
                {words.say("alarm.value")} <b>{value(words, alarm.value, alarm.unit)}</b>
              </span>
            )}
          </p>
          <h3>{words.say("alarm.advice")}</h3>
          <p>{words.of(alarm.advice)}</p>
          {marks.map((mark) => (
            <p key={mark} class="hint">
              <b>{words.say(`mark.${mark}`)}</b>: {words.say(`mark.${mark}.means`)}
            </p>
          ))}
          {commands.length > 0 && (
            <ul class="commands">
              {commands.map((record) => (
                <CommandChip key={record.command.command_id} record={record} />
              ))}
            </ul>
          )}
          {alarm.drill === null && <Handling alarm={alarm} />}
          <p class="hint">
            {words.say("alarm.rule")} <code>{alarm.rule}</code> · <code>{alarm.subject}</code> ·{" "}
            <code>{alarm.alarm_id}</code>
          </p>
        </div>
      </div>
    </Dialog>
  );
}

/** What people do about an alarm, and what is known of its way; a drill's has none of it. */
function Handling({ alarm }: { alarm: Alarm }) {
  const words = useWords();
  const { facts, time } = useScreen();
  const actuators = facts.actuatorsOf(alarm);
  const hasLoudspeaker = facts.hasLoudspeaker(alarm.site, alarm.building);
  const { confirmation } = alarm;
  return (
    <>
      {confirmation?.comment && (
        <p>
          {words.say("verdict.by", { who: confirmation.by, time: time(confirmation.confirmed_time, alarm.site) })}:{" "}
          {confirmation.comment}
        </p>
      )}
      <div class="answer">
        <Acknowledge alarm={alarm} />
      </div>
      {(actuators.length > 0 || hasLoudspeaker) && (
        <>
          <h3>{words.say("operate.heading")}</h3>
          <Operate devices={actuators} />
          {hasLoudspeaker && <Broadcast site={alarm.site} building={alarm.building} />}
        </>
      )}
      <h3>{words.say("explain.why")}</h3>
      <AlarmExplained alarm={alarm} />
      {stands(alarm) && (
        <>
          <h3>{words.say("hide.title")}</h3>
          <Hiding alarm={alarm} />
        </>
      )}
      <h3>{words.say("alarm.stages")}</h3>
      <Deadlines alarm={alarm} />
      <h3>{words.say("alarm.history")}</h3>
      <History alarm={alarm} />
    </>
  );
}

function History({ alarm }: { alarm: Alarm }) {
  const words = useWords();
  const { time } = useDesk();
  const changes = useChanges(alarm);
  if (changes === null) return null;
  if (changes === "unreadable") return <p>{words.say("alarm.history.none")}</p>;
  if (changes.length === 0) return <p>{words.say("alarm.history.notYet")}</p>;
  return (
    <table>
      <tbody>
        {changes.map((change) => (
          <tr key={change.number}>
            <td>{time(change.transition_time, alarm.site)}</td>
            <td>{words.word("reason", change.reason)}</td>
            <td>{words.say(`state.${change.alarm.state}`)}</td>
            <td>{change.by}</td>
            <td>{change.comment}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** What the history says of an alarm, read anew with each change of it; null before the first answer. */
function useChanges(alarm: Alarm): AlarmTransition[] | "unreadable" | null {
  const { live } = useScreen();
  const [changes, setChanges] = useState<AlarmTransition[] | "unreadable" | null>(null);

  useEffect(() => {
    let cancelled = false;
    let again: number | undefined;
    const read = async (isFirst: boolean): Promise<void> => {
      const found = await transitions(alarm.alarm_id).catch(() => "unreadable" as const);
      if (cancelled) return;
      setChanges(found);
      if (isFirst || found.length === 0) again = window.setTimeout(() => void read(false), HISTORY_MS);
    };
    void read(true);
    return () => {
      cancelled = true;
      clearTimeout(again);
    };
  }, [alarm, live]);

  return changes;
}
