// Reads new alarms out to screen readers, once each.

import { useEffect, useRef, useState } from "preact/hooks";

import type { Alarm } from "../api";
import { useScreen } from "../screen";
import { useWords } from "../text";
import { inOrder, isUnanswered } from "../world";

export function Announcer() {
  const words = useWords();
  const { world } = useScreen();
  const told = useRef(new Set<string>());
  const [announced, setAnnounced] = useState<Alarm | null>(null);

  useEffect(() => {
    const fresh = inOrder(world.alarms.values()).filter(
      (alarm) => isUnanswered(alarm) && !told.current.has(alarm.alarm_id),
    );
    told.current = new Set(world.alarms.keys());
    if (fresh[0]) setAnnounced(fresh[0]);
  }, [world.alarms]);

  return (
    <div class="unseen" role="alert" aria-live="assertive">
      {announced &&
        words.say("alarms.new", {
          class: words.say(`class.${announced.alarm_class}`),
          priority: words.say(`priority.${announced.priority}`),
          text: words.of(announced.text),
          place: words.of(announced.place),
        })}
    </div>
  );
}
