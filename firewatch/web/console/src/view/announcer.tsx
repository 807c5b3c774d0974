// Reads new alarms out to screen readers, once each.

import { useEffect, useRef, useState } from "preact/hooks";

import { useScreen } from "../screen";
import { useWords } from "../text";
import { inOrder, isUnanswered } from "../world";

export function Announcer() {
  const words = useWords();
  const { world } = useScreen();
  const told = useRef(new Set<string>());
  const [sentence, setSentence] = useState("");

  useEffect(() => {
    const fresh = inOrder(world.alarms.values()).filter(
      (alarm) => isUnanswered(alarm) && !told.current.has(alarm.alarm_id),
    );
    told.current = new Set(world.alarms.keys());
    const [first] = fresh;
    if (!first) return;
    setSentence(
      words.say("alarms.new", {
        class: words.say(`class.${first.alarm_class}`),
        priority: words.say(`priority.${first.priority}`),
        text: words.of(first.text),
        place: words.of(first.place),
      }),
    );
  }, [world.alarms, words]);

  return (
    <div class="unseen" role="alert" aria-live="assertive">
      {sentence}
    </div>
  );
}
