import type { Alarm } from "../api";
import { useScreen } from "../screen";
import { useWords } from "../text";
import { mayAcknowledge, mayReset } from "../world";
import { sayTrouble, useCommand } from "./use-command";

/** The buttons for what the alarm waits for, or who pressed them. */
export function Acknowledge({ alarm }: { alarm: Alarm }) {
  const words = useWords();
  const { live, time } = useScreen();
  const { send, sending, trouble } = useCommand(alarm);

  if (!mayAcknowledge(alarm) && !mayReset(alarm)) {
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
      {mayAcknowledge(alarm) && (
        <button
          type="button"
          class="main"
          disabled={sending !== null || !live}
          onClick={() => send({ verb: "acknowledge" })}
        >
          {words.say(sending === "acknowledge" ? "alarm.acknowledging" : "alarm.acknowledge")}
        </button>
      )}
      {mayReset(alarm) && (
        <button type="button" class="main" disabled={sending !== null || !live} onClick={() => send({ verb: "reset" })}>
          {words.say("alarm.reset")}
        </button>
      )}
      {trouble && (
        <span class="trouble-text" role="alert">
          {sayTrouble(words, trouble)}
        </span>
      )}
    </>
  );
}
