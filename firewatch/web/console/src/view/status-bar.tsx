import { useState } from "preact/hooks";

import type { PartStatus } from "../api";
import type { Facts } from "../facts";
import { useScreen } from "../screen";
import { useWords, type Words } from "../text";
import { Dialog } from "./dialog";

/** More parts than this are only counted, and those that are not ready named. */
const NAMED = 6;

export function StatusBar() {
  const words = useWords();
  const { world, facts, live } = useScreen();
  const [opened, setOpened] = useState(false);
  const rejected = Object.values(world.rejectionCounts).reduce((sum, count) => sum + count, 0);
  const ready = world.parts.filter((part) => part.ready);
  const shown = world.parts.length > NAMED ? world.parts.filter((part) => !part.ready) : world.parts;
  return (
    <footer class="status">
      <button type="button" title={words.say("status.show")} onClick={() => setOpened(true)}>
        <b>{words.say("status.title")}</b>
        {shown.length < world.parts.length && (
          <span class={live ? "part ready" : "part dark"}>
            {words.say("status.partsReady", { n: live ? ready.length : "?", all: world.parts.length })}
          </span>
        )}
        {shown.map((part) => (
          <span key={part.name} class={`part ${!live ? "dark" : part.ready ? "ready" : "waiting"}`} data-part={part.name}>
            {partName(words, facts, part)}{" "}
            {words.say(!live ? "value.unknown" : part.ready ? "status.ready" : "status.notReady")}
          </span>
        ))}
        <span class={rejected > 0 ? "rejected some" : "rejected"}>{words.say("status.rejected", { n: rejected })}</span>
      </button>
      {opened && <StatusDialog close={() => setOpened(false)} />}
    </footer>
  );
}

function StatusDialog({ close }: { close(): void }) {
  const words = useWords();
  const { world, facts, live, time } = useScreen();
  return (
    <Dialog title={words.say("status.title")} close={close} wide>
      <h3>{words.say("status.parts")}</h3>
      <table>
        <tbody>
          {world.parts.map((part) => (
            <tr key={part.name}>
              <td>{partName(words, facts, part)}</td>
              <td>{words.say(!live ? "value.unknown" : part.ready ? "status.ready" : "status.notReady")}</td>
              <td class="technical">{part.detail}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <h3>{words.say("status.rejections")}</h3>
      {world.rejections.length === 0 && <p>{words.say("common.none")}</p>}
      <p class="counts">
        {Object.entries(world.rejectionCounts).map(([reason, count]) => (
          <span key={reason}>
            {words.word("rejection", reason)} <b>{count}</b>
          </span>
        ))}
      </p>
      {world.rejections.length > 0 && (
        <table class="rejections">
          <thead>
            <tr>
              <th>{words.say("status.time")}</th>
              <th>{words.say("status.reason")}</th>
              <th>{words.say("status.source")}</th>
              <th>{words.say("status.detail")}</th>
              <th>{words.say("status.payload")}</th>
            </tr>
          </thead>
          <tbody>
            {world.rejections.map((rejection, index) => (
              <tr key={index}>
                <td>{time(rejection.receive_time)}</td>
                <td>{words.word("rejection", rejection.reason)}</td>
                <td>
                  <code class="technical">{rejection.source}</code>
                </td>
                <td class="technical">{rejection.detail}</td>
                <td>
                  <code class="technical">{rejection.payload}</code>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </Dialog>
  );
}

/** A part is known by a word of ours, or serves a device and is known by that: "camera sample/a-lift-1-camera". */
function partName(words: Words, facts: Facts, part: PartStatus): string {
  const served = facts.devices.get(part.name.split(" ").at(-1) ?? "");
  return served ? words.of(served.label) : words.word("part", part.name);
}
