import { useState } from "preact/hooks";

import { Refusal } from "../api";
import { useDesk } from "../screen";
import { useWords } from "../text";

export interface Request {
  /** Ask for something under the operator's name; `then` follows if it was done. */
  ask(question: (operator: string) => Promise<unknown>, then?: () => void): void;
  asking: boolean;
  /** Why it was not done; null while nothing is wrong. */
  trouble: Error | null;
}

/** How a screen asks firewatch for something; the first request at a desk asks who sits there. */
export function useRequest(): Request {
  const { operator, nameOperator } = useDesk();
  const [asking, setAsking] = useState(false);
  const [trouble, setTrouble] = useState<Error | null>(null);

  const askAs = async (name: string, question: (operator: string) => Promise<unknown>, then?: () => void): Promise<void> => {
    setAsking(true);
    setTrouble(null);
    try {
      await question(name);
      then?.();
    } catch (error) {
      setTrouble(error instanceof Error ? error : new Error(String(error)));
    }
    setAsking(false);
  };

  return {
    ask: (question, then) =>
      operator ? void askAs(operator, question, then) : nameOperator((name) => void askAs(name, question, then)),
    asking,
    trouble,
  };
}

/** Why something was not done, with the server's own words, which are English. */
export function Trouble({ trouble }: { trouble: Error | null }) {
  const words = useWords();
  if (trouble === null) return null;
  return (
    <p class="trouble-text" role="alert">
      {trouble instanceof Refusal ? words.say("request.refused") : words.say("alarm.unreachable")}{" "}
      {trouble instanceof Refusal && <small class="technical">{trouble.what}</small>}
    </p>
  );
}
