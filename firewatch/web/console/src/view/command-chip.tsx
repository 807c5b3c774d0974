import type { CommandRecord } from "../api";
import { elapsed } from "../format";
import { useDesk } from "../screen";
import { useWords, type Words } from "../text";
import { DrillTag } from "./drill";

/** The details of answers that firewatch itself writes, for an actuator that gave none and for a proof that never came. */
const STAND_INS = ["unanswered", "unproven"];

/** One command to an actuator and how far it is: sent, accepted, done in the actuator's own word, proven, or not. */
export function CommandChip({ record }: { record: CommandRecord }) {
  const words = useWords();
  const { action } = useDesk();
  const { command, answer, state, proven_time, attempts } = record;
  const asked = action(command.device, command.action);
  const last = proven_time ?? answer?.receive_time;
  return (
    <li class={`command ${state}`} data-command={command.command_id}>
      {command.drill && <DrillTag />} <span>{asked ? words.of(asked.label) : ""}</span> <b>{said(words, record)}</b>{" "}
      {state === "done" && asked?.proof && <span class="awaited">{words.say("command.proofAwaited")}</span>}{" "}
      {attempts > 1 && <span class="attempts">{words.say("command.attempts", { n: attempts })}</span>}{" "}
      {last && <small>{words.say("answer.after", { time: elapsed(words, command.issued_time, last) })}</small>}
    </li>
  );
}

function said(words: Words, { answer, state }: CommandRecord): string {
  const detail = answer && !STAND_INS.includes(answer.detail) ? answer.detail : "";
  const word = detail ? words.word("answer", detail) : "";
  switch (state) {
    case "sent":
      return words.say("answer.waiting");
    case "unproven":
      return words.say("answer.unproven");
    case "proven":
      return word && answer?.state === "done" ? words.say("answer.provenAs", { word }) : words.say("answer.proven");
    case "failed":
      return word ? words.say("answer.failedAs", { word }) : words.say(answer?.detail ? "answer.unanswered" : "answer.failed");
    default:
      return word || words.say(`answer.${state}`);
  }
}
