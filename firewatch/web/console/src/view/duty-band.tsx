import { answerDutyCheck, type DutyCheck } from "../api";
import { remaining } from "../format";
import { useScreen } from "../screen";
import { useWords } from "../text";
import type { World } from "../world";
import { Trouble, useRequest } from "./use-request";

/** The question that this screen has to answer. One that nobody has told its seat is asked whatever any seat is. */
const openCheck = (world: World, seat: string | null): DutyCheck | undefined =>
  [...world.dutyChecks.values()].find((check) => seat === null || check.seat === seat);

export const asksSeat = (world: World, seat: string | null): boolean => openCheck(world, seat) !== undefined;

/**
 * Somebody wants to know whether anybody is there: a band across the whole screen, over whatever page is open, until it
 * is answered or ends. It takes the place of the top bar alone: alarms stay to be seen and answered.
 */
export function DutyBand() {
  const words = useWords();
  const { world, seat, seats, now, operator, live, time } = useScreen();
  const { ask, asking, trouble } = useRequest();
  const check = openCheck(world, seat);
  if (!check || !live) return null;
  const label = seats.find((one) => one.seat.id === check.seat)?.seat.label;
  return (
    <div class="duty-band" role="alert" data-duty={check.check_id}>
      <strong>{words.say("duty.title")}</strong>
      <span class="grow">
        {words.say("duty.asked", {
          who: check.asked_by,
          seat: label ? words.of(label) : check.seat,
          time: time(check.asked_time, check.site || undefined),
        })}
        <Trouble trouble={trouble} />
      </span>
      <time>{remaining(Date.parse(check.until_time) - now)}</time>
      <button
        type="button"
        class="main"
        disabled={asking}
        onClick={() => ask((name) => answerDutyCheck(name, check.check_id))}
      >
        {operator ? words.say("duty.answerAs", { who: operator }) : words.say("duty.answer")}
      </button>
    </div>
  );
}
