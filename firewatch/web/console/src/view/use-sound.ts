import { useEffect, useState } from "preact/hooks";

import type { Facts } from "../facts";
import { keep, kept } from "../keep";
import { REPEAT_MS, Sounder } from "../sound";
import type { Connection } from "../stream";
import { isUnanswered } from "../world";

/** `waiting`: it is wanted, but the page was loaded anew and a browser makes no sound before a click. */
export type Sound = "on" | "off" | "waiting";

/**
 * Sound the figure of the foremost unacknowledged alarm, again and again until it is answered. Without a connection
 * nothing is known of alarms, and its own figure says that.
 */
export function useSound(facts: Facts, connection: Connection): { sound: Sound; toggleSound(): void } {
  const [wanted, setWanted] = useState(() => kept("sound") === "on");
  const [sounder, setSounder] = useState<Sounder | null>(null);

  useEffect(() => keep("sound", wanted ? "on" : "off"), [wanted]);

  useEffect(() => {
    if (!wanted || sounder) return;
    const start = (): void => setSounder((present) => present ?? new Sounder());
    document.addEventListener("click", start);
    return () => document.removeEventListener("click", start);
  }, [wanted, sounder]);

  const calling = connection === "lost" ? "lost" : facts.alarms.find(isUnanswered)?.alarm_class;
  useEffect(() => {
    if (!sounder || !calling) return;
    sounder.play(calling);
    const timer = setInterval(() => sounder.play(calling), REPEAT_MS);
    return () => clearInterval(timer);
  }, [sounder, calling]);

  const toggleSound = (): void => {
    sounder?.close();
    setSounder(sounder ? null : new Sounder());
    setWanted(!sounder);
  };
  return { sound: sounder ? "on" : wanted ? "waiting" : "off", toggleSound };
}
