import { useState } from "preact/hooks";

import { useScreen } from "../screen";
import { useWords } from "../text";
import { Dialog } from "./dialog";

export function StatusBar() {
  const words = useWords();
  const { world, live } = useScreen();
  const [opened, setOpened] = useState(false);
  const rejected = Object.values(world.rejectionCounts).reduce((sum, count) => sum + count, 0);
  return (
    <footer class="status">
      <button type="button" title={words.say("status.show")} onClick={() => setOpened(true)}>
        <b>{words.say("status.title")}</b>
        {world.parts.map((part) => (
          <span key={part.name} class={`part ${!live ? "dark" : part.ready ? "ready" : "waiting"}`} data-part={part.name}>
            {words.word("part", part.name)}{" "}
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
  const { world, live, time } = useScreen();
  return (
    <Dialog title={words.say("status.title")} close={close} wide>
      <h3>{words.say("status.parts")}</h3>
      <table>
        <tbody>
          {world.parts.map((part) => (
            <tr key={part.name}>
              <td>{words.word("part", part.name)}</td>
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
