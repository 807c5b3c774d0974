// What plans and reports of drills name, in the words that people know it by.

import type { Expectation, PlannedReading } from "../drills";
import { value } from "../format";
import { useDesk, useScreen } from "../screen";
import { useWords } from "../text";

/** A device (`site/device`) by its label. */
export function DeviceName({ device }: { device: string }) {
  const words = useWords();
  const { facts } = useScreen();
  const label = facts.devices.get(device)?.label;
  return <>{label ? words.of(label) : <code>{device}</code>}</>;
}

/** How a reading of a plan is told: "Lift 2 camera: e-bike 0.90". */
export function useReadingText(site: string): (reading: PlannedReading) => string {
  const words = useWords();
  const { facts } = useScreen();
  return ({ device, signal, value: raw }) => {
    const found = facts.devices.get(`${site}/${device}`);
    const known = found?.signals.find(({ name }) => name === signal);
    return words.say("drills.reading", {
      device: found ? words.of(found.label) : device,
      signal: known ? words.of(known.label) : signal,
      value: value(words, raw, known?.unit ?? ""),
    });
  };
}

/** What has to come of a drill. */
export function ExpectationText({ expectation }: { expectation: Expectation }) {
  const words = useWords();
  const { action } = useDesk();
  const { world, facts } = useScreen();
  const { rule, subject, device, action: name, proven, told } = expectation;
  if (told !== null) return <>{words.say("drills.expectTold", { target: told })}</>;
  if (device !== null && name !== null) {
    const label = action(device, name)?.label;
    return (
      <>
        <DeviceName device={device} />: {label ? words.of(label) : words.word("action", name)}
        {proven && <span class="resting"> {words.say("drills.expectProven")}</span>}
      </>
    );
  }
  const [site, id] = (subject ?? "").split("/");
  const label =
    facts.devices.get(subject ?? "")?.label ??
    world.sites.find((one) => one.id === site)?.assets.find((asset) => asset.id === id)?.label;
  return (
    <>
      {words.say("drills.expectAlarm", { subject: label ? words.of(label) : (subject ?? "") })} <code>{rule}</code>
    </>
  );
}
