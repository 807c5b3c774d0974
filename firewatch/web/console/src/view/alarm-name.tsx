import { useEffect, useState } from "preact/hooks";

import { oneAlarm, type Alarm } from "../api";
import { useScreen } from "../screen";
import { useWords } from "../text";
import { AlarmDetails } from "./alarm-details";

const ASKED_KEPT = 500;
const asked = new Map<string, Promise<Alarm | null>>();

function ask(alarmId: string): Promise<Alarm | null> {
  const known = asked.get(alarmId);
  if (known) return known;
  if (asked.size >= ASKED_KEPT) asked.clear();
  const answer = oneAlarm(alarmId).catch(() => {
    asked.delete(alarmId);
    return null;
  });
  asked.set(alarmId, answer);
  return answer;
}

/** An alarm by its id: as it stands, or as the history has it; null until it is known. */
function useAlarm(alarmId: string): Alarm | null {
  const { world } = useScreen();
  const [stored, setStored] = useState<Alarm | null>(null);
  const standing = world.alarms.get(alarmId);
  const isStanding = standing !== undefined;
  useEffect(() => {
    if (isStanding) return;
    let gone = false;
    void ask(alarmId).then((alarm) => gone || setStored(alarm));
    return () => {
      gone = true;
    };
  }, [alarmId, isStanding]);
  return standing ?? (stored?.alarm_id === alarmId ? stored : null);
}

/** What alarm an id stands for, in words; one click shows its details. */
export function AlarmName({ alarmId }: { alarmId: string }) {
  const words = useWords();
  const alarm = useAlarm(alarmId);
  const [opened, setOpened] = useState(false);
  if (!alarm) return <code class="resting">{alarmId}</code>;
  return (
    <>
      <button type="button" class="alarm-name" title={words.say("alarm.details")} onClick={() => setOpened(true)}>
        <i class={`dot alarm ${alarm.alarm_class}`} aria-hidden="true" />
        {words.say("common.at", { text: words.of(alarm.text), place: words.of(alarm.place) })}
      </button>
      {opened && <AlarmDetails alarm={alarm} close={() => setOpened(false)} />}
    </>
  );
}
