import type { CommandRecord } from "../api";
import { elapsed } from "../format";
import { useWords } from "../text";

/** One command to an actuator and how far it is: asked, accepted, done with the actuator's own word, failed. */
export function CommandChip({ record: { command, answer } }: { record: CommandRecord }) {
  const words = useWords();
  const said = answer === null ? words.say("answer.waiting") : words.word("answer", answer.detail || answer.state);
  return (
    <li class={`command ${answer?.state ?? "waiting"}`} data-command={command.command_id}>
      <span>{words.word("action", command.action)}</span>{" "}
      <b>{answer?.state === "failed" && answer.detail ? `${words.say("answer.failed")}: ${said}` : said}</b>{" "}
      {answer && (
        <small>
          {words.say("answer.after", { time: elapsed(words, command.issued_time, answer.receive_time) })}
        </small>
      )}
    </li>
  );
}
