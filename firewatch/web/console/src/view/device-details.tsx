import { useState } from "preact/hooks";

import type { DeviceView } from "../api";
import { deviceKey } from "../facts";
import { age, reading } from "../format";
import { useScreen } from "../screen";
import { useWords } from "../text";
import { Broadcast } from "./broadcast";
import { DeviceRules } from "./device-rules";
import { Dialog } from "./dialog";
import { Operate } from "./operate";
import { OutOfServiceDialog } from "./out-of-service";

export function DeviceDetails({ device, close }: { device: DeviceView; close(): void }) {
  const words = useWords();
  const { world, facts, now, live, time } = useScreen();
  const [asked, setAsked] = useState(false);
  const building = facts.sites.get(device.site)?.buildings.find((candidate) => candidate.id === device.building);
  return (
    <Dialog title={words.of(device.label)} close={close} wide>
      <p>
        {words.say("device.kind")} <b>{words.of(device.kind_label)}</b>
        {building && (
          <>
            {" "}
            · {words.say("device.building")} <b>{words.of(building.label)}</b>
          </>
        )}{" "}
        · <code>{device.device}</code>
      </p>
      <table>
        <thead>
          <tr>
            <th>{words.say("device.signal")}</th>
            <th>{words.say("device.value")}</th>
            <th>{words.say("device.quality")}</th>
            <th>{words.say("device.sourceTime")}</th>
            <th>{words.say("device.heard")}</th>
          </tr>
        </thead>
        <tbody>
          {device.signals.map((signal) => {
            const last = world.readings.get(signal.signal);
            return (
              <tr key={signal.signal}>
                <td>{words.of(signal.label)}</td>
                <td>
                  <b class={live && last ? "" : "missing"}>
                    {live ? reading(words, signal, last) : words.say("value.unknown")}
                  </b>
                </td>
                <td>{last && words.say(`quality.${last.quality}`)}</td>
                <td>{last && time(last.source_time, device.site)}</td>
                <td>
                  {last
                    ? words.say("common.ago", { age: age(words, now - Date.parse(last.receive_time)) })
                    : words.say("device.never")}
                </td>
              </tr>
            );
          })}
        </tbody>
      </table>
      {device.actions.length > 0 && (
        <>
          <h3>{words.say("operate.heading")}</h3>
          <Operate devices={[device]} />
          {device.actions.includes("play") && <Broadcast site={device.site} building={device.building} />}
        </>
      )}
      <h3>{words.say("explain.rules")}</h3>
      <DeviceRules device={device} />
      <p class="answer">
        <button type="button" class="plain" disabled={!live} onClick={() => setAsked(true)}>
          {words.say("outage.ask")}
        </button>
      </p>
      {asked && (
        <OutOfServiceDialog subject={deviceKey(device)} rule={null} present={null} close={() => setAsked(false)} />
      )}
    </Dialog>
  );
}
