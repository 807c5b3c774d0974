import { useState } from "preact/hooks";

import type { Alarm } from "../api";
import { useDesk } from "../screen";
import { useWords } from "../text";
import { mayAcknowledge, mayConfirm, mayReset } from "../world";
import { ConfirmDialog } from "./confirm";
import { sayTrouble, useCommand } from "./use-command";

/** The buttons for what the alarm waits for, or who pressed them. */
export function Acknowledge({ alarm }: { alarm: Alarm }) {
  const words = useWords();
  const { live, time } = useDesk();
  const { send, sending, trouble } = useCommand(alarm);
  const [confirming, setConfirming] = useState(false);
  return (
    <>
      {mayAcknowledge(alarm) && (
        <button
          type="button"
          class="main"
          disabled={sending !== null || !live}
          onClick={() => send({ verb: "acknowledge", seen: alarm.activations })}
        >
          {words.say(sending === "acknowledge" ? "alarm.acknowledging" : "alarm.acknowledge")}
        </button>
      )}
      {mayReset(alarm) && (
        <button type="button" class="main" disabled={sending !== null || !live} onClick={() => send({ verb: "reset" })}>
          {words.say("alarm.reset")}
        </button>
      )}
      {!mayAcknowledge(alarm) && !mayReset(alarm) && alarm.acknowledged_by && alarm.acknowledged_time && (
        <span class="answered">
          {words.say("alarm.acknowledgedBy", { who: alarm.acknowledged_by, time: time(alarm.acknowledged_time, alarm.site) })}
        </span>
      )}
      {mayConfirm(alarm) && (
        <button type="button" class="plain" disabled={!live} onClick={() => setConfirming(true)}>
          {words.say(alarm.confirmation ? "verdict.correct" : "verdict.give")}
        </button>
      )}
      {trouble && (
        <span class="trouble-text" role="alert">
          {sayTrouble(words, trouble)}
        </span>
      )}
      {confirming && <ConfirmDialog alarm={alarm} close={() => setConfirming(false)} />}
    </>
  );
}
