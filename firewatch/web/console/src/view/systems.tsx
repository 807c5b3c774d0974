// The state of every device, by system, each system in its fixed place. Only what is heard is shown as a value.

import { useState } from "preact/hooks";

import type { DeviceView, SignalView } from "../api";
import { age, reading } from "../format";
import { deviceKey } from "../facts";
import { useScreen } from "../screen";
import { useWords } from "../text";
import { inOrder } from "../world";
import { DeviceDetails } from "./device-details";

/** Fixed places come first, systems that nobody foresaw after them. */
const PLACES = [
  "water",
  "lift",
  "garage",
  "electrical",
  "gas",
  "doors",
  "smoke_control",
  "control_room",
  "camera",
  "broadcast",
  "access",
];

export function Systems() {
  const words = useWords();
  const { world } = useScreen();
  const [opened, setOpened] = useState<DeviceView | null>(null);
  const systems = [...new Set([...PLACES, ...world.devices.map((device) => device.system)])]
    .map((system) => ({ system, devices: world.devices.filter((device) => device.system === system) }))
    .filter(({ devices }) => devices.length > 0);
  return (
    <section class="systems" aria-label={words.say("systems.title")}>
      <nav>
        {systems.map(({ system, devices }) => (
          <SystemLamp key={system} system={system} devices={devices} />
        ))}
      </nav>
      <div class="scroll">
        {systems.map(({ system, devices }) => (
          <div class="system" key={system} id={`system-${system}`}>
            <h2>{words.word("system", system)}</h2>
            <ul class="tiles">
              {devices.map((device) => (
                <Tile key={deviceKey(device)} device={device} open={() => setOpened(device)} />
              ))}
            </ul>
          </div>
        ))}
      </div>
      {opened && <DeviceDetails device={opened} close={() => setOpened(null)} />}
    </section>
  );
}

/** A system at a glance, coloured by its foremost alarm; brings its devices into view. */
function SystemLamp({ system, devices }: { system: string; devices: DeviceView[] }) {
  const words = useWords();
  const { facts, now, live } = useScreen();
  const heard = devices.filter((device) => facts.standing(device, now) === "normal").length;
  const [alarm] = inOrder(devices.flatMap((device) => facts.alarmsOf(device)));
  const state = !live ? "dark" : (alarm?.alarm_class ?? (heard < devices.length ? "silent" : ""));
  return (
    <button
      type="button"
      class={`system-lamp ${state}`}
      data-system={system}
      onClick={() => document.getElementById(`system-${system}`)?.scrollIntoView()}
    >
      <b>{words.word("system", system)}</b>
      <span>{words.say("system.heard", { heard: live ? heard : "?", all: devices.length })}</span>
    </button>
  );
}

function Tile({ device, open }: { device: DeviceView; open(): void }) {
  const words = useWords();
  const { facts, now, live } = useScreen();
  const state = live ? facts.standing(device, now) : "unknown";
  const [alarm] = facts.ownAlarms(device);
  const own = device.signals.filter((signal) => !signal.supervisory);
  const heard = facts.heardTime(device);
  const quiet = heard === null ? null : now - heard;
  return (
    <li class={`tile ${state} ${alarm?.alarm_class ?? ""}`} data-device={deviceKey(device)} data-standing={state}>
      <button type="button" title={words.of(device.label)} onClick={open}>
        <span class="name">{words.of(device.label)}</span>
        {state === "normal" ? (
          <span class="values">
            {own.map((signal) => (
              <Value key={signal.signal} signal={signal} />
            ))}
          </span>
        ) : (
          <span class="values missing">
            {state === "silent" && quiet !== null
              ? words.say("standing.silentFor", { age: age(words, quiet) })
              : words.say(`standing.${state}`)}
          </span>
        )}
        <span class="heard">{live && quiet !== null && age(words, quiet)}</span>
      </button>
    </li>
  );
}

function Value({ signal }: { signal: SignalView }) {
  const words = useWords();
  const { world } = useScreen();
  const last = world.readings.get(signal.signal);
  const doubtful = last && last.quality !== "good";
  return (
    <span class="value">
      {words.of(signal.label)}{" "}
      <b class={!last ? "missing" : last.value === false ? "resting" : ""}>{reading(words, signal, last)}</b>
      {doubtful && <em class="quality"> {words.say(`quality.${last.quality}`)}</em>}
    </span>
  );
}
