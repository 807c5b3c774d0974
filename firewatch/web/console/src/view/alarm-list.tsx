import { useState } from "preact/hooks";

import { marksOfAlarms, type Alarm, type Marks } from "../api";
import { useScreen } from "../screen";
import { useWords } from "../text";
import type { World } from "../world";
import { AlarmCard } from "./alarm-card";
import { AlarmDetails } from "./alarm-details";
import { DrillAlarms } from "./drill";
import { HiddenAlarms } from "./hidden-alarms";
import { IncidentCard } from "./incident-card";
import { VerdictTag } from "./tags";
import { useAsked } from "./use-asked";

/** What wears people out does so over minutes. */
const MARKED_EVERY_MS = 30_000;
const NO_MARKS: Marks = {};

export function AlarmList() {
  const words = useWords();
  const { world, facts, time } = useScreen();
  const [opened, setOpened] = useState<Alarm | null>(null);
  const { alarms, incidents } = facts;
  const about = world.alarms.size > 0 ? "some" : "none";
  const marks = useAsked(async () => (about === "some" ? marksOfAlarms() : NO_MARKS), about, MARKED_EVERY_MS).answer ?? NO_MARKS;
  const detailed = opened && (newest(world, opened) ?? opened);
  return (
    <section class="alarms" aria-label={words.say("alarms.title")}>
      <div class="scroll">
        {alarms.length === 0 && <Calm />}
        <ol class="cards">
          {incidents.map((incident) =>
            incident.count > 1 ? (
              <IncidentCard key={incident.incident} incident={incident} marks={marks} open={setOpened} />
            ) : (
              incident.alarms.map((alarm) => (
                <AlarmCard key={alarm.alarm_id} alarm={alarm} marks={marks[alarm.alarm_id]} open={setOpened} />
              ))
            ),
          )}
        </ol>
        <DrillAlarms open={setOpened} />
        {facts.hidden.length > 0 && <HiddenAlarms open={setOpened} />}
        {world.returned.length > 0 && (
          <div class="returned">
            <h2>{words.say("alarms.returned")}</h2>
            <ol>
              {world.returned.map((alarm) => (
                <li key={alarm.alarm_id} data-returned={alarm.alarm_id}>
                  <button type="button" onClick={() => setOpened(alarm)}>
                    <span class={`tag ${alarm.alarm_class}`}>{words.say(`class.${alarm.alarm_class}`)}</span>
                    <span class="grow">
                      {words.say("common.at", { text: words.of(alarm.text), place: words.of(alarm.place) })}
                    </span>
                    <VerdictTag alarm={alarm} />
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
      {detailed && (
        <AlarmDetails
          key={detailed.alarm_id}
          alarm={detailed}
          marks={marks[detailed.alarm_id] ?? []}
          close={() => setOpened(null)}
        />
      )}
    </section>
  );
}

/** How an alarm stands now; one that left the screen meanwhile, as it was seen last. */
const newest = (world: World, { alarm_id }: Alarm): Alarm | undefined =>
  world.alarms.get(alarm_id) ??
  world.drillAlarms.get(alarm_id) ??
  world.returned.find((alarm) => alarm.alarm_id === alarm_id);

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
