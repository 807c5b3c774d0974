import type { CommandRecord } from "../api";
import { elapsed } from "../format";
import { useWords } from "../text";

/** The detail of the answer that firewatch itself writes for an actuator that gave none. */
const GIVEN_UP = "unanswered";

/** One command to an actuator and how far it is: asked, accepted, done with the actuator's own word, failed. */
export function CommandChip({ record: { command, answer } }: { record: CommandRecord }) {
  const words = useWords();
  const failed = answer?.state === "failed" && answer.detail && answer.detail !== GIVEN_UP;
  const said = answer === null ? words.say("answer.waiting") : words.word("answer", answer.detail || answer.state);
  return (
    <li class={`command ${answer?.state ?? "waiting"}`} data-command={command.command_id}>
      <span>{words.word("action", command.action)}</span>{" "}
      <b>{failed ? `${words.say("answer.failed")}: ${said}` : said}</b>{" "}
      {answer && (
        <small>
          {words.say("answer.after", { time: elapsed(words, command.issued_time, answer.receive_time) })}
        </small>
      )}
    </li>
  );
}
