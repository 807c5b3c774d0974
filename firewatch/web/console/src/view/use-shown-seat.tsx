import { useState } from "preact/hooks";

import { useDesk } from "../screen";
import { useWords } from "../text";

/** The seat that a page is about: this screen's own, unless the reader wants to look at another one. */
export function useShownSeat(): { seat: string | null; choose(seat: string): void } {
  const { seats, seat } = useDesk();
  const [chosen, setChosen] = useState<string | null>(null);
  return { seat: chosen ?? seat ?? seats[0]?.seat.id ?? null, choose: setChosen };
}

/** Nothing where there is one seat alone. */
export function SeatChoice({ seat, choose }: { seat: string; choose(seat: string): void }) {
  const words = useWords();
  const { seats } = useDesk();
  if (seats.length < 2) return null;
  return (
    <select
      class="plain"
      aria-label={words.say("room.seat")}
      value={seat}
      onChange={(event) => choose(event.currentTarget.value)}
    >
      {seats.map((one) => (
        <option key={one.seat.id} value={one.seat.id}>
          {words.of(one.seat.label)}
        </option>
      ))}
    </select>
  );
}
