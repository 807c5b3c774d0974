// One lamp for each class, always in the same place (GB 4717-2024): an operator finds it without reading.

import { ALARM_CLASSES, type AlarmClass } from "../api";
import { useScreen } from "../screen";
import { useWords } from "../text";
import { isUnanswered } from "../world";

export function Lamps() {
  const words = useWords();
  const { world, facts, now, live } = useScreen();
  const silent = world.devices.filter((device) => facts.standing(device, now) !== "normal").length;
  const all = world.devices.length;
  return (
    <section class="lamps" aria-label={words.say("lamps.title")}>
      {ALARM_CLASSES.map((alarmClass) => (
        <Lamp key={alarmClass} alarmClass={alarmClass} />
      ))}
      <div class={`lamp silent-lamp ${live && silent > 0 ? "lit" : ""}`} data-lamp="silent">
        <i class="bulb" aria-hidden="true" />
        <div>
          <b>{words.say("lamp.silent")}</b>
          <span>
            {!live
              ? words.say("lamp.unknown")
              : silent > 0
                ? words.say("lamp.silent.counts", { n: silent, all })
                : words.say("lamp.silent.none", { all })}
          </span>
        </div>
        <strong>{live ? silent : "?"}</strong>
      </div>
    </section>
  );
}

function Lamp({ alarmClass }: { alarmClass: AlarmClass }) {
  const words = useWords();
  const { facts, live } = useScreen();
  const alarms = facts.alarmsOfClass.get(alarmClass) ?? [];
  const unanswered = alarms.filter(isUnanswered).length;
  const state = !live ? "dark" : unanswered > 0 ? "lit calling" : alarms.length > 0 ? "lit" : "";
  return (
    <div class={`lamp ${alarmClass} ${state}`} data-lamp={alarmClass}>
      <i class="bulb" aria-hidden="true" />
      <div>
        <b>{words.say(`class.${alarmClass}`)}</b>
        <span>
          {!live
            ? words.say("lamp.unknown")
            : unanswered > 0
              ? words.say("lamp.unanswered", { n: unanswered })
              : words.say(alarms.length > 0 ? "lamp.answered" : "lamp.clear")}
        </span>
      </div>
      <strong>{live ? alarms.length : "?"}</strong>
    </div>
  );
}
