import { lateAlarms, workload } from "../workload";
import { deliveries, targets } from "../notifications";
import { useScreen } from "../screen";
import { useWords } from "../text";
import { asksSeat } from "./duty-band";
import { useAsked } from "./use-asked";
import type { View } from "./use-view";

const ASKED_EVERY_MS = 10_000;
const LATE_ASKED_EVERY_MS = 30_000;
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const LOOKED_AT = 100;

/** The parts of the daemon that say whether the rules are as people want them. */
const RULE_PARTS = ["rules", "rule files"];

/** What of a page asks for a look at it, in words; nothing where nothing does. */
export type Marks = Readonly<Partial<Record<View, string>>>;

export function useMarks(): Marks {
  const words = useWords();
  const { world, seat, seats, now } = useScreen();
  const whose = seat ?? seats[0]?.seat.id;
  const load = useAsked(
    () => (whose === undefined ? Promise.resolve(null) : workload(whose)),
    whose ?? "",
    ASKED_EVERY_MS,
  ).answer;
  const late = useAsked(() => lateAlarms(now - HOUR_MS), "late", LATE_ASKED_EVERY_MS).answer;
  const known = useAsked(targets, "targets", ASKED_EVERY_MS).answer;
  const given = useAsked(() => deliveries({ state: "dead", target: null, alarm: null }, LOOKED_AT), "dead", ASKED_EVERY_MS).answer;

  const dead = given?.filter(({ ended_time }) => ended_time !== null && now - Date.parse(ended_time) < DAY_MS).length ?? 0;
  const marks: Partial<Record<View, string>> = {};
  if (asksSeat(world, seat)) marks["control-room"] = words.say("view.mark.duty");
  if (load?.figures?.in_flood) marks.workload = words.say("view.mark.flood");
  else if (late && late.late > 0) marks.workload = words.say("view.mark.late", { n: late.late });
  if (world.drill !== null) marks.drills = words.say("view.mark.drill");
  if (dead > 0) marks.notifications = words.say("view.mark.dead", { n: dead });
  else if (known?.some(({ ready }) => !ready)) marks.notifications = words.say("view.mark.failing");
  if (world.parts.some((part) => RULE_PARTS.includes(part.name) && !part.ready)) marks.rules = words.say("view.rulesWrong");
  return marks;
}
