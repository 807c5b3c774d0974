// Reads new alarms out to screen readers: each onset once, a flood by its number.

import { useEffect, useRef, useState } from "preact/hooks";

import type { Alarm } from "../api";
import { useScreen } from "../screen";
import { useWords } from "../text";
import { isUnanswered } from "../world";

const READ_OUT = 3;

const onset = (alarm: Alarm): string => `${alarm.alarm_id} ${alarm.activations}`;

export function Announcer() {
  const words = useWords();
  const { world, facts } = useScreen();
  const told = useRef<ReadonlySet<string>>(new Set());
  const [fresh, setFresh] = useState<Alarm[]>([]);

  useEffect(() => {
    const found = facts.alarms.filter((alarm) => isUnanswered(alarm) && !told.current.has(onset(alarm)));
    told.current = new Set(facts.alarms.map(onset));
    if (found.length > 0) setFresh(found);
  }, [world.alarms]);

  return (
    <div class="unseen" role="alert" aria-live="assertive">
      {fresh.length > READ_OUT && <p key={fresh.map(onset).join()}>{words.say("alarms.newMany", { n: fresh.length })}</p>}
      {fresh.slice(0, fresh.length > READ_OUT ? 1 : READ_OUT).map((alarm) => (
        <p key={onset(alarm)}>
          {words.say("alarms.new", {
            class: words.say(`class.${alarm.alarm_class}`),
            priority: words.say(`priority.${alarm.priority}`),
            text: words.of(alarm.text),
            place: words.of(alarm.place),
          })}
          {alarm.activations > 1 && ` (${words.say("alarm.times", { n: alarm.activations })})`}
        </p>
      ))}
    </div>
  );
}
