import { useState } from "preact/hooks";

import { ask, VERDICTS, type Alarm, type Verdict } from "../api";
import { useDesk } from "../screen";
import { useWords } from "../text";
import { Dialog } from "./dialog";
import { LONGEST_REASON } from "./hiding";
import { Trouble, useRequest } from "./use-request";

/** What an alarm turned out to be, and what was done. */
export function ConfirmDialog({ alarm, close }: { alarm: Alarm; close(): void }) {
  const words = useWords();
  const { live } = useDesk();
  const request = useRequest();
  const [verdict, setVerdict] = useState<Verdict | null>(alarm.confirmation?.verdict ?? null);
  const [comment, setComment] = useState(alarm.confirmation?.comment ?? "");
  return (
    <Dialog title={words.say("verdict.title")} close={close}>
      <p class="hint">{words.say("common.at", { text: words.of(alarm.text), place: words.of(alarm.place) })}</p>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (verdict) request.ask((name) => ask(alarm, name, { verb: "confirm", verdict, comment: comment.trim() }), close);
        }}
      >
        <fieldset class="choice" role="radiogroup">
          <legend class="unseen">{words.say("verdict.title")}</legend>
          {VERDICTS.map((one, place) => (
            <label key={one} class={`verdict-choice ${one}`}>
              <input
                type="radio"
                name="verdict"
                autofocus={place === 0}
                checked={verdict === one}
                onChange={() => setVerdict(one)}
              />
              <b>{words.say(`verdict.${one}`)}</b>
              <small>{words.say(`verdict.${one}.means`)}</small>
            </label>
          ))}
        </fieldset>
        <label>
          {words.say("verdict.comment")}
          <textarea
            rows={2}
            maxLength={LONGEST_REASON}
            value={comment}
            onInput={(event) => setComment(event.currentTarget.value)}
          />
        </label>
        <Trouble trouble={request.trouble} />
        <button type="submit" class="main" disabled={!verdict || request.asking || !live}>
          {words.say("verdict.save")}
        </button>
      </form>
    </Dialog>
  );
}
