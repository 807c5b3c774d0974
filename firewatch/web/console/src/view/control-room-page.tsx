// The control room: its log, who is on duty, what the next shift has to know, and whether anybody was there when asked.

import { handover, type Handover } from "../control-room";
import { age, clockTime } from "../format";
import { useDesk, useNow } from "../screen";
import { useWords } from "../text";
import { DutyChecks } from "./duty-checks";
import { HandoverBlock } from "./handover";
import { ShiftLog } from "./shift-log";
import { useAsked } from "./use-asked";
import { SeatChoice, useShownSeat } from "./use-shown-seat";

const ASKED_EVERY_MS = 10_000;

export function ControlRoomPage() {
  const words = useWords();
  const { seat, choose } = useShownSeat();
  if (seat === null) return <main class="control-room" aria-busy="true" />;
  return <Room key={seat} seat={seat} choose={choose} label={words.say("room.title")} />;
}

function Room({ seat, choose, label }: { seat: string; choose(seat: string): void; label: string }) {
  const words = useWords();
  const { answer, failed, again } = useAsked(() => handover(seat), seat, ASKED_EVERY_MS);
  return (
    <main class="control-room" aria-label={label}>
      <ShiftLog seat={seat} zone={answer?.seat.time_zone ?? null} since={answer?.since ?? null} />
      <section class="panel scroll" aria-label={words.say("hand.title")}>
        {answer ? (
          <OnDuty state={answer} choose={choose} />
        ) : (
          <p class="hint">{words.say(failed ? "room.failed" : "room.asking")}</p>
        )}
        {answer && <HandoverBlock state={answer} again={again} />}
        <DutyChecks seat={seat} />
      </section>
    </main>
  );
}

/** Whose turn it is, until when, and how much of it is over. */
function OnDuty({ state, choose }: { state: Handover; choose(seat: string): void }) {
  const words = useWords();
  const now = useNow();
  const { operator, nameOperator } = useDesk();
  const { seat, turn } = state;
  const begin = turn && Date.parse(turn.start_time);
  const end = turn && Date.parse(turn.end_time);
  const hour = (instant: string): string => clockTime(instant, seat.time_zone).slice(0, 5);
  return (
    <section class="block on-duty" data-on-duty>
      <header>
        <h2>{words.of(seat.label)}</h2>
        <SeatChoice seat={seat.id} choose={choose} />
      </header>
      <div class="turn">
        <div>
          <span class="label">{words.say("room.turn")}</span>
          <b>{turn ? words.of(turn.shift.name) : words.say("room.noTurn")}</b>
          {turn && (
            <span class="resting">
              {hour(turn.start_time)} – {hour(turn.end_time)}
            </span>
          )}
        </div>
        <div>
          <span class="label">{words.say("room.atDesk")}</span>
          <b>{operator ?? words.say("operator.none")}</b>
          <button type="button" class="text-button" onClick={() => nameOperator(() => undefined)}>
            {words.say("room.change")}
          </button>
        </div>
      </div>
      {begin !== null && end !== null && (
        <p class="turn-over">
          <progress max={end - begin} value={Math.min(Math.max(now - begin, 0), end - begin)} aria-hidden="true" />
          <span>{words.say("room.left", { age: age(words, end - now) })}</span>
        </p>
      )}
    </section>
  );
}
