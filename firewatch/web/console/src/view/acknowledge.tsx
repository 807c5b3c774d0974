import { useState } from "preact/hooks";

import { acknowledge, oneAlarm, Refusal, type Alarm, type AlarmState } from "../api";
import { useScreen } from "../screen";
import { useWords } from "../text";
import { isUnanswered } from "../world";

type Trouble = { state: AlarmState } | { key: "alarm.unreachable" | "alarm.failed" };

/** The button, or who pressed it. The first press on a desk asks who sits there. */
export function Acknowledge({ alarm }: { alarm: Alarm }) {
  const words = useWords();
  const { live, operator, nameOperator, time } = useScreen();
  const [sending, setSending] = useState(false);
  const [trouble, setTrouble] = useState<Trouble | null>(null);

  const send = async (name: string): Promise<void> => {
    setSending(true);
    setTrouble(null);
    try {
      await acknowledge(alarm.alarm_id, name);
    } catch (error) {
      setTrouble(await troubleOf(error, alarm));
    }
    setSending(false);
  };

  if (!isUnanswered(alarm)) {
    return (
      <span class="answered">
        {alarm.acknowledged_by &&
          alarm.acknowledged_time &&
          words.say("alarm.acknowledgedBy", { who: alarm.acknowledged_by, time: time(alarm.acknowledged_time, alarm.site) })}
      </span>
    );
  }
  return (
    <>
      <button
        type="button"
        class="main"
        disabled={sending || !live}
        onClick={() => (operator ? void send(operator) : nameOperator((name) => void send(name)))}
      >
        {words.say(sending ? "alarm.acknowledging" : "alarm.acknowledge")}
      </button>
      {trouble && (
        <span class="trouble-text" role="alert">
          {"state" in trouble
            ? words.say("alarm.refused", { state: words.say(`state.${trouble.state}`) })
            : words.say(trouble.key)}
        </span>
      )}
    </>
  );
}

/** A conflict means that the alarm has gone on and the news has not reached this screen: its state now says why. */
async function troubleOf(error: unknown, { alarm_id }: Alarm): Promise<Trouble> {
  if (!(error instanceof Refusal)) return { key: "alarm.unreachable" };
  if (error.status !== 409) return { key: "alarm.failed" };
  try {
    return { state: (await oneAlarm(alarm_id)).state };
  } catch {
    return { key: "alarm.failed" };
  }
}
