import { useEffect, useRef, useState } from "preact/hooks";

import { useScreen } from "../screen";

export interface Asked<T> {
  /** The newest answer, null before the first. */
  answer: T | null;
  /** Whether the last question got none. */
  failed: boolean;
  /** Ask at once, and go on asking from then. */
  again(): void;
}

/**
 * Ask the server a question, and again and again while it is shown; `about` tells when it is another one. What was
 * answered stays to be seen while the connection is lost.
 */
export function useAsked<T>(question: () => Promise<T>, about: string, everyMs: number): Asked<T> {
  const { live } = useScreen();
  const [answer, setAnswer] = useState<T | null>(null);
  const [failed, setFailed] = useState(false);
  const [turn, setTurn] = useState(0);
  const newest = useRef(question);
  newest.current = question;

  useEffect(() => setAnswer(null), [about]);

  useEffect(() => {
    if (!live) return;
    let stopped = false;
    let timer: number | undefined;
    const ask = async (): Promise<void> => {
      try {
        const found = await newest.current();
        if (stopped) return;
        setAnswer(found);
        setFailed(false);
      } catch {
        if (stopped) return;
        setFailed(true);
      }
      timer = window.setTimeout(() => void ask(), everyMs);
    };
    void ask();
    return () => {
      stopped = true;
      clearTimeout(timer);
    };
  }, [about, live, everyMs, turn]);

  return { answer, failed, again: () => setTurn((before) => before + 1) };
}
