import { useState } from "preact/hooks";

import { broadcast, type Action, type DeviceView } from "../api";
import { useScreen } from "../screen";
import { useWords } from "../text";
import { Dialog } from "./dialog";
import { ActionForm } from "./operate";

/** What a broadcast may carry; a loudspeaker's kind may take more. */
const CARRIED = ["text_zh", "text_en", "message", "tone_seconds", "message_seconds", "repeat"];
const ACTIONS = ["play", "evacuate", "stop"] as const;

const isLoudspeaker = (device: DeviceView): boolean => device.actions.includes("play");

function toggled(chosen: ReadonlySet<string>, id: string): ReadonlySet<string> {
  const after = new Set(chosen);
  if (!after.delete(id)) after.add(id);
  return after;
}

/** Speak over all loudspeakers of whole buildings at once, or stop what is spoken there. */
export function Broadcast({ site, building }: { site: string; building: string }) {
  const words = useWords();
  const { facts, world, live } = useScreen();
  const [asked, setAsked] = useState<Action | null>(null);
  const [chosen, setChosen] = useState<ReadonlySet<string>>(() => new Set([building]));
  const heard = new Set(world.devices.filter((device) => device.site === site && isLoudspeaker(device)).map((one) => one.building));
  const buildings = (facts.sites.get(site)?.buildings ?? []).filter(({ id }) => heard.has(id));
  const speaker = world.devices.find((device) => device.site === site && isLoudspeaker(device));
  const known = speaker ? (facts.actionsOf(speaker) ?? []) : [];
  const actions = ACTIONS.flatMap((name) => known.find((action) => action.name === name) ?? []);
  const close = (): void => setAsked(null);
  if (actions.length === 0) return null;
  return (
    <div class="broadcast">
      <span class="name">{words.say("broadcast.title")}</span>
      <span class="buttons">
        {actions.map((action) => (
          <button
            key={action.name}
            type="button"
            class={action.linkage ? "plain linkage" : "plain"}
            disabled={!live}
            data-broadcast={action.name}
            onClick={() => setAsked(action)}
          >
            {words.of(action.label)} …
          </button>
        ))}
      </span>
      {asked && (
        <Dialog title={words.say("broadcast.dialog", { action: words.of(asked.label) })} close={close}>
          <fieldset class="buildings">
            <legend>{words.say("broadcast.buildings")}</legend>
            {buildings.map(({ id, label }) => (
              <label key={id} class="check">
                <input
                  type="checkbox"
                  checked={chosen.has(id)}
                  onChange={() => setChosen(toggled(chosen, id))}
                />{" "}
                {words.of(label)}
              </label>
            ))}
          </fieldset>
          <ActionForm
            action={asked}
            parameters={(asked.parameters ?? []).filter(({ name }) => CARRIED.includes(name))}
            isReady={buildings.some(({ id }) => chosen.has(id))}
            send={(operator, parameters, reason) =>
              broadcast(operator, site, buildings.map(({ id }) => id).filter((id) => chosen.has(id)), {
                action: asked.name,
                parameters,
                reason,
              })
            }
            close={close}
          />
        </Dialog>
      )}
    </div>
  );
}
