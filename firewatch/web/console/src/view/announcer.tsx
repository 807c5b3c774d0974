// Reads new alarms out to screen readers: each onset that calls for people once, a flood by its number.

import { useEffect, useRef, useState } from "preact/hooks";

import type { Alarm } from "../api";
import type { Incident } from "../facts";
import { useScreen } from "../screen";
import { useWords } from "../text";
import { isUnanswered, urgency } from "../world";

const READ_OUT = 3;

const onset = (alarm: Alarm): string => `${alarm.alarm_id} ${alarm.activations}`;

interface Call {
  alarm: Alarm;
  /** How many alarms its incident has. */
  count: number;
}

/** What is new in an incident and calls for people: it adds nothing to what was told of it and is as urgent. */
function calls({ alarms, count }: Incident, told: ReadonlySet<string>): Call[] {
  const unanswered = alarms.filter(isUnanswered);
  const calling = unanswered.filter((alarm) => told.has(onset(alarm)));
  const [foremost] = unanswered
    .filter((alarm) => !told.has(onset(alarm)))
    .toSorted((one, other) => urgency(one) - urgency(other));
  const isNews = foremost && !calling.some((alarm) => urgency(alarm) <= urgency(foremost));
  return isNews ? [{ alarm: foremost, count }] : [];
}

export function Announcer() {
  const words = useWords();
  const { world, facts } = useScreen();
  const told = useRef<ReadonlySet<string>>(new Set());
  const [fresh, setFresh] = useState<Call[]>([]);

  useEffect(() => {
    const found = facts.incidents.flatMap((incident) => calls(incident, told.current));
    told.current = new Set(facts.alarms.map(onset));
    if (found.length > 0) setFresh(found);
  }, [world.alarms]);

  const many = fresh.length > READ_OUT;
  return (
    <div class="unseen" role="alert" aria-live="assertive">
      {many && (
        <p key={fresh.map(({ alarm }) => onset(alarm)).join()}>{words.say("alarms.newMany", { n: fresh.length })}</p>
      )}
      {fresh.slice(0, many ? 1 : READ_OUT).map(({ alarm, count }) => (
        <p key={onset(alarm)}>
          {words.say("alarms.new", {
            class: words.say(`class.${alarm.alarm_class}`),
            priority: words.say(`priority.${alarm.priority}`),
            text: words.of(alarm.text),
            place: words.of(alarm.place),
          })}
          {alarm.activations > 1 && ` (${words.say("alarm.times", { n: alarm.activations })})`}
          {count > 1 && ` (${words.say("alarms.newIncident", { n: count })})`}
        </p>
      ))}
    </div>
  );
}
