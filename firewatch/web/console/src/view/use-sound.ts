import { useEffect, useState } from "preact/hooks";

import type { Facts } from "../facts";
import { keep, kept } from "../keep";
import { REPEAT_MS, Sounder, type Call } from "../sound";
import type { Connection } from "../stream";
import { isUnanswered } from "../world";

/** `waiting`: it is wanted, but the page was loaded anew and a browser makes no sound before a click. */
export type Sound = "on" | "off" | "waiting";

/**
 * Sound the figure of the foremost unacknowledged alarm, again and again until it is answered: what joins an incident
 * that calls already adds nothing to it. A duty check takes turns with it. Without a connection nothing is known of
 * alarms, and its own figure says that.
 */
export function useSound(facts: Facts, connection: Connection, isAsked: boolean): { sound: Sound; toggleSound(): void } {
  const [wanted, setWanted] = useState(() => kept("sound") === "on");
  const [sounder, setSounder] = useState<Sounder | null>(null);

  useEffect(() => keep("sound", wanted ? "on" : "off"), [wanted]);

  useEffect(() => {
    if (!wanted || sounder) return;
    const start = (): void => setSounder((present) => present ?? new Sounder());
    document.addEventListener("click", start);
    return () => document.removeEventListener("click", start);
  }, [wanted, sounder]);

  const foremost = facts.alarms.find(isUnanswered)?.alarm_class;
  const alarm: Call | undefined = connection === "lost" ? "lost" : foremost;
  const duty = connection !== "lost" && isAsked;
  useEffect(() => {
    const figures = [alarm, duty ? ("duty" as const) : undefined].filter((figure) => figure !== undefined);
    if (!sounder || figures.length === 0) return;
    let turn = 0;
    const sound = (): void => sounder.play(figures[turn++ % figures.length]!);
    sound();
    const timer = setInterval(sound, REPEAT_MS);
    return () => clearInterval(timer);
  }, [sounder, alarm, duty]);

  const toggleSound = (): void => {
    sounder?.close();
    setSounder(sounder ? null : new Sounder());
    setWanted(!sounder);
  };
  return { sound: sounder ? "on" : wanted ? "waiting" : "off", toggleSound };
}
