import { useEffect } from "preact/hooks";

import { REPEAT_MS, type Sounder } from "../sound";
import { inOrder, isUnanswered, type World } from "../world";

/** Sound the figure of the foremost unacknowledged alarm, again and again until it is answered. */
export function useAlarmTone(sounder: Sounder | null, world: World): void {
  const calling = inOrder(world.alarms.values()).find(isUnanswered)?.alarm_class;
  useEffect(() => {
    if (!sounder || !calling) return;
    sounder.play(calling);
    const timer = setInterval(() => sounder.play(calling), REPEAT_MS);
    return () => clearInterval(timer);
  }, [sounder, calling]);
}
