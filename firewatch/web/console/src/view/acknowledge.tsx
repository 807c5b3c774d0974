import { useState } from "preact/hooks";

import { acknowledge, Refusal, type Alarm } from "../api";
import { useScreen } from "../screen";
import { useWords } from "../text";
import { isUnanswered } from "../world";

/** The button, or who pressed it. The first press on a desk asks who sits there. */
export function Acknowledge({ alarm }: { alarm: Alarm }) {
  const words = useWords();
  const { live, operator, nameOperator, time } = useScreen();
  const [sending, setSending] = useState(false);
  const [trouble, setTrouble] = useState<Refusal | "unreachable" | null>(null);

  const send = async (name: string): Promise<void> => {
    setSending(true);
    setTrouble(null);
    try {
      await acknowledge(alarm.alarm_id, name);
    } catch (error) {
      setTrouble(error instanceof Refusal ? error : "unreachable");
    }
    setSending(false);
  };

  if (!isUnanswered(alarm)) {
    return (
      <span class="answered">
        {alarm.acknowledged_by &&
          alarm.acknowledged_time &&
          words.say("alarm.acknowledgedBy", { who: alarm.acknowledged_by, time: time(alarm.acknowledged_time) })}
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
          {trouble === "unreachable"
            ? words.say("alarm.unreachable")
            : words.say("alarm.refused", { why: trouble.message })}
        </span>
      )}
    </>
  );
}
