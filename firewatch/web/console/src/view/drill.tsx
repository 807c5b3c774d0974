import type { Alarm } from "../api";
import { useScreen } from "../screen";
import { useWords } from "../text";
import { inOrder } from "../world";

/** A drill that goes on, in a place of its own below what is real. It lights no lamp and makes no sound. */
export function DrillAlarms({ open }: { open(alarm: Alarm): void }) {
  const words = useWords();
  const { world, time } = useScreen();
  const { drill } = world;
  if (!drill) return null;
  return (
    <section class="drill" aria-label={words.say("drill.title")} data-drill={drill.drill.drill_id}>
      <h2>
        <DrillTag /> <b>{words.of(drill.label)}</b>{" "}
        {words.say("drill.going", { who: drill.drill.by, until: time(drill.until_time, drill.site) })}{" "}
        {words.say("drill.hint")}
      </h2>
      <ol>
        {inOrder(world.drillAlarms.values()).map((alarm) => (
          <li key={alarm.alarm_id} class="member" data-drill-alarm={alarm.alarm_id}>
            <button type="button" title={words.say("alarm.details")} onClick={() => open(alarm)}>
              <span class="tag">{words.say(`class.${alarm.alarm_class}`)}</span>
              <span class="grow">
                {words.say("common.at", { text: words.of(alarm.text), place: words.of(alarm.place) })}
              </span>
              <span class="state">{words.say(`state.${alarm.state}`)}</span>
              <time>{time(alarm.onset_time, alarm.site)}</time>
            </button>
          </li>
        ))}
      </ol>
    </section>
  );
}

/** Said in both languages, whatever the reader's: nobody may take it for real. */
export function DrillTag() {
  return <span class="drill-tag">演练 DRILL</span>;
}
