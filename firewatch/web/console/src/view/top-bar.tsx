import { calendarDate, clockTime } from "../format";
import { useScreen } from "../screen";
import type { Connection } from "../stream";
import { useWords } from "../text";
import type { Sound } from "./use-sound";
import type { View } from "./use-view";
import { Views } from "./views";

interface Props {
  view: View;
  connection: Connection;
  sound: Sound;
  toggleSound(): void;
  chooseSeat(seat: string): void;
  toggleLanguage(): void;
}

export function TopBar({ view, connection, sound, toggleSound, chooseSeat, toggleLanguage }: Props) {
  const words = useWords();
  const { world, facts, now, operator, nameOperator, seats, seat } = useScreen();
  const [site, ...others] = world.sites;
  const timeZone = facts.timeZone();
  const elsewhere = new Map(others.filter((other) => other.time_zone !== timeZone).map((other) => [other.time_zone, other]));
  return (
    <header class="top">
      <h1>
        <span class="brand">firewatch</span>
        {site && <span class="site">{words.of(site.label)}</span>}
        {others.length > 0 && <span class="ladder">+{others.length}</span>}
        {site && (
          <span class="ladder">{[site.district, site.street, site.community].map((text) => words.of(text)).join(" / ")}</span>
        )}
      </h1>
      <time class="clock" title={calendarDate(now, timeZone, words.lang)}>
        <span class="date">{calendarDate(now, timeZone, words.lang)}</span>
        <b>{clockTime(now, timeZone)}</b>
        {[...elsewhere].map(([zone, other]) => (
          <span key={zone} class="date">
            {words.of(other.label)} {clockTime(now, zone)}
          </span>
        ))}
      </time>
      <Views view={view} />
      <div class="controls">
        <span class={`connection ${connection}`} role="status">
          {words.say(`connection.${connection}`)}
        </span>
        <button
          type="button"
          class={sound === "on" ? "plain on" : "plain off"}
          aria-pressed={sound === "on"}
          title={words.say(sound === "on" ? "sound.turnOff" : "sound.turnOn")}
          onClick={toggleSound}
        >
          {words.say(`sound.${sound}`)}
        </button>
        {seats.length > 1 && (
          <select
            class={seat === null ? "plain off" : "plain"}
            aria-label={words.say("seat.choose")}
            value={seat ?? ""}
            onChange={(event) => chooseSeat(event.currentTarget.value)}
          >
            {seat === null && <option value="">{words.say("seat.none")}</option>}
            {seats.map((one) => (
              <option key={one.seat.id} value={one.seat.id}>
                {words.of(one.seat.label)}
              </option>
            ))}
          </select>
        )}
        <button
          type="button"
          class="plain"
          title={words.say("operator.change")}
          onClick={() => nameOperator(() => undefined)}
        >
          {operator ?? words.say("operator.none")}
        </button>
        <button type="button" class="plain language" title={words.say("language.other")} onClick={toggleLanguage}>
          {words.lang === "zh" ? "EN" : "中文"}
        </button>
      </div>
    </header>
  );
}
