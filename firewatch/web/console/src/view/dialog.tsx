import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";

import { useWords } from "../text";
import { DutyBand } from "./duty-band";

interface Props {
  title: string;
  close(): void;
  wide?: boolean;
  children: ComponentChildren;
}

/**
 * A window over the screen. The browser keeps the keyboard inside it and closes it on Escape; so whoever asks whether
 * anybody is there is shown within it, too.
 */
export function Dialog({ title, close, wide = false, children }: Props) {
  const words = useWords();
  const element = useRef<HTMLDialogElement>(null);
  useEffect(() => element.current?.showModal(), []);
  return (
    <dialog
      ref={element}
      class={wide ? "wide" : ""}
      aria-label={title}
      onClose={close}
      onClick={(event) => event.target === element.current && element.current?.close()}
    >
      <DutyBand />
      <div class="dialog-body">
        <header>
          <h2>{title}</h2>
          <button type="button" class="plain" onClick={() => element.current?.close()}>
            {words.say("common.close")}
          </button>
        </header>
        {children}
      </div>
    </dialog>
  );
}
