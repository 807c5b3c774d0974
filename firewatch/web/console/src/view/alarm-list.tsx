import { useState } from "preact/hooks";

import { useScreen } from "../screen";
import { useWords } from "../text";
import { AlarmCard } from "./alarm-card";
import { AlarmDetails } from "./alarm-details";
import { HiddenBy } from "./hiding";

export function AlarmList() {
  const words = useWords();
  const { world, facts, time } = useScreen();
  const [opened, setOpened] = useState<string | null>(null);
  const { alarms } = facts;
  const detailed = opened && (world.alarms.get(opened) ?? world.returned.find((alarm) => alarm.alarm_id === opened));
  return (
    <section class="alarms" aria-label={words.say("alarms.title")}>
      <div class="scroll">
        {alarms.length === 0 && <Calm />}
        <ol class="cards">
          {alarms.map((alarm) => (
            <AlarmCard key={alarm.alarm_id} alarm={alarm} open={() => setOpened(alarm.alarm_id)} />
          ))}
        </ol>
        {facts.hidden.length > 0 && <Hidden open={setOpened} />}
        {world.returned.length > 0 && (
          <div class="returned">
            <h2>{words.say("alarms.returned")}</h2>
            <ol>
              {world.returned.map((alarm) => (
                <li key={alarm.alarm_id} data-returned={alarm.alarm_id}>
                  <button type="button" onClick={() => setOpened(alarm.alarm_id)}>
                    <span class={`tag ${alarm.alarm_class}`}>{words.say(`class.${alarm.alarm_class}`)}</span>
                    <span class="grow">
                      {words.say("common.at", { text: words.of(alarm.text), place: words.of(alarm.place) })}
                    </span>
                    <time>
                      {time(alarm.onset_time, alarm.site)}
                      {alarm.cleared_time && <> – {time(alarm.cleared_time, alarm.site)}</>}
                    </time>
                  </button>
                </li>
              ))}
            </ol>
          </div>
        )}
      </div>
      {detailed && <AlarmDetails key={detailed.alarm_id} alarm={detailed} close={() => setOpened(null)} />}
    </section>
  );
}

/** Nothing is hidden without a trace: how many there are is always to be seen. */
function Hidden({ open }: { open(alarmId: string): void }) {
  const words = useWords();
  const { facts } = useScreen();
  return (
    <details class="returned hidden-alarms">
      <summary>{words.say("alarms.hidden", { n: facts.hidden.length })}</summary>
      <ol>
        {facts.hidden.map((alarm) => (
          <li key={alarm.alarm_id} data-hidden={alarm.alarm_id}>
            <button type="button" onClick={() => open(alarm.alarm_id)}>
              <span class={`tag ${alarm.alarm_class}`}>{words.say(`class.${alarm.alarm_class}`)}</span>
              <span class="grow">
                {words.say("common.at", { text: words.of(alarm.text), place: words.of(alarm.place) })}
              </span>
              <span class="state">{words.say(`state.${alarm.state}`)}</span>
            </button>
            <HiddenBy alarm={alarm} />
          </li>
        ))}
      </ol>
    </details>
  );
}

function Calm() {
  const words = useWords();
  const { world, facts, now, live } = useScreen();
  const all = world.devices.length;
  const n = world.devices.filter((device) => facts.standing(device, now) !== "normal").length;
  return (
    <div class={live ? "calm" : "calm dark"}>
      <b>{live ? words.say("alarms.calm") : words.say("lamp.unknown")}</b>
      <p>
        {!live
          ? words.say("alarms.calm.unknown")
          : n === 0
            ? words.say("alarms.calm.heard", { all })
            : words.say("alarms.calm.silent", { n, all })}
      </p>
    </div>
  );
}
