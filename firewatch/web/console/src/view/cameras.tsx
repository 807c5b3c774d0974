import { useState } from "preact/hooks";

import type { DeviceView, LocalText } from "../api";
import { deviceKey, type Facts } from "../facts";
import { useScreen } from "../screen";
import { useWords } from "../text";
import { CameraPicture } from "./camera-picture";
import { Dialog } from "./dialog";

/** More live pictures than a desk can watch help nobody, and each one is a request twice a second. */
const SHOWN = 8;

export function Cameras() {
  const words = useWords();
  const { world, facts } = useScreen();
  const [enlarged, setEnlarged] = useState<DeviceView | null>(null);
  const alarmed = new Map(
    world.devices.filter((device) => device.camera).map((device) => [device, facts.alarmsOf(device)[0]] as const),
  );
  const cameras = [...alarmed.keys()].sort((one, other) => Number(!alarmed.get(one)) - Number(!alarmed.get(other)));
  if (cameras.length === 0) return null;
  return (
    <section class="cameras" aria-label={words.say("cameras.title")}>
      <ul>
        {cameras.slice(0, SHOWN).map((device) => (
          <li
            key={deviceKey(device)}
            class={alarmed.get(device)?.alarm_class ?? ""}
            data-camera={deviceKey(device)}
          >
            <button
              type="button"
              title={words.say("camera.enlarge", { name: words.of(device.label) })}
              onClick={() => setEnlarged(device)}
            >
              <CameraPicture device={device} />
              <span class="caption">{words.of(placeOf(facts, device))}</span>
            </button>
          </li>
        ))}
      </ul>
      {cameras.length > SHOWN && <p class="hint">{words.say("cameras.more", { n: cameras.length - SHOWN })}</p>}
      {enlarged && (
        <Dialog title={words.of(enlarged.label)} close={() => setEnlarged(null)} wide>
          <CameraPicture device={enlarged} />
        </Dialog>
      )}
    </section>
  );
}

/** Short enough to read under a small picture: "Tower A lift 2" rather than its camera's whole name. */
function placeOf(facts: Facts, device: DeviceView): LocalText {
  return facts.sites.get(device.site)?.assets.find(({ id }) => id === device.asset)?.label ?? device.label;
}
