import { useState } from "preact/hooks";

import { ask, oneAlarm, Refusal, type Alarm, type AlarmState, type Request } from "../api";
import { useScreen } from "../screen";
import type { Words } from "../text";

type Trouble = { state: AlarmState } | { key: "alarm.unreachable" | "alarm.failed" };

export interface Command {
  /** Ask for it under the operator's name; the first request at a desk asks who sits there. */
  send(request: Request): void;
  /** What is on its way; null when nothing is. */
  sending: Request["verb"] | null;
  trouble: Trouble | null;
}

/** How a screen asks firewatch for something about an alarm. */
export function useCommand(alarm: Alarm): Command {
  const { operator, nameOperator } = useScreen();
  const [sending, setSending] = useState<Request["verb"] | null>(null);
  const [trouble, setTrouble] = useState<Trouble | null>(null);

  const sendAs = async (name: string, request: Request): Promise<void> => {
    setSending(request.verb);
    setTrouble(null);
    try {
      await ask(alarm, name, request);
    } catch (error) {
      setTrouble(await troubleOf(error, alarm));
    }
    setSending(null);
  };

  return {
    send: (request) =>
      operator ? void sendAs(operator, request) : nameOperator((name) => void sendAs(name, request)),
    sending,
    trouble,
  };
}

export const sayTrouble = (words: Words, trouble: Trouble): string =>
  "state" in trouble
    ? words.say("alarm.refused", { state: words.say(`state.${trouble.state}`) })
    : words.say(trouble.key);

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
