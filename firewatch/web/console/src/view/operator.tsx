import { useState } from "preact/hooks";

import { useWords } from "../text";
import { Dialog } from "./dialog";

const LONGEST_NAME = 64;

interface Props {
  given: string | null;
  close(): void;
  name(name: string): void;
}

export function OperatorDialog({ given, close, name }: Props) {
  const words = useWords();
  const [typed, setTyped] = useState(given ?? "");
  const trimmed = typed.trim();
  return (
    <Dialog title={words.say("operator.ask")} close={close}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (trimmed) name(trimmed);
        }}
      >
        <label>
          {words.say("operator.name")}
          <input
            autofocus
            maxLength={LONGEST_NAME}
            value={typed}
            onInput={(event) => setTyped(event.currentTarget.value)}
          />
        </label>
        <p class="hint">{words.say("operator.why")}</p>
        <button type="submit" class="main" disabled={!trimmed}>
          {words.say("operator.keep")}
        </button>
      </form>
    </Dialog>
  );
}
