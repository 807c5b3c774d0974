import { explainDevice, type DeviceView, type ExplanationView } from "../api";
import { deviceKey } from "../facts";
import { useWords } from "../text";
import { EXPLAINED_EVERY_MS, standing, STANDINGS, Steps } from "./explanation";
import { useAsked } from "./use-asked";

/** What every rule says of a device: those that alarm first, each with its reasons. */
export function DeviceRules({ device }: { device: DeviceView }) {
  const words = useWords();
  const name = deviceKey(device);
  const { answer, failed } = useAsked(() => explainDevice(name), name, EXPLAINED_EVERY_MS);
  if (!answer) return <p class="hint">{words.say(failed ? "explain.failed" : "explain.asking")}</p>;
  if (answer.length === 0) return <p>{words.say("explain.noRules")}</p>;
  const place = (one: ExplanationView): number => STANDINGS.indexOf(standing(one));
  return (
    <ul class="device-rules">
      {answer
        .toSorted((one, other) => place(one) - place(other))
        .map((explanation) => (
          <li key={`${explanation.rule} ${explanation.subject}`} data-rule={explanation.rule}>
            <details class="explanation">
              <summary>
                <i
                  class={`dot ${standing(explanation)} ${explanation.alarm_class}`}
                  aria-hidden="true"
                />
                <span class="unseen">{words.say(`standing.rule.${standing(explanation)}`)}: </span>
                <span class="grow">
                  <b>{words.of(explanation.text)}</b>
                  {explanation.mode === "shadow" && <span class="tag">{words.say("rules.shadow")}</span>}
                  <span class="verdict">{words.of(explanation.verdict)}</span>
                </span>
              </summary>
              <Steps explanation={explanation} />
            </details>
          </li>
        ))}
    </ul>
  );
}
