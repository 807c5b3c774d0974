import { calendarDate, clockTime } from "../format";
import { useScreen } from "../screen";
import type { Connection } from "../stream";
import { useWords } from "../text";
import type { Sound } from "./use-sound";
import { VIEWS, type View } from "./use-view";

/** The parts of the daemon that say whether the rules are as people want them. */
const RULE_PARTS = ["rules", "rule files"];

interface Props {
  view: View;
  connection: Connection;
  sound: Sound;
  toggleSound(): void;
  toggleLanguage(): void;
}

export function TopBar({ view, connection, sound, toggleSound, toggleLanguage }: Props) {
  const words = useWords();
  const { world, facts, now, operator, nameOperator } = useScreen();
  const [site, ...others] = world.sites;
  const timeZone = facts.timeZone();
  const wrong = world.parts.some((part) => RULE_PARTS.includes(part.name) && !part.ready);
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
      <time class="clock">
        <span class="date">{calendarDate(now, timeZone, words.lang)}</span>
        <b>{clockTime(now, timeZone)}</b>
        {[...elsewhere].map(([zone, other]) => (
          <span key={zone} class="date">
            {words.of(other.label)} {clockTime(now, zone)}
          </span>
        ))}
      </time>
      <nav class="views" aria-label={words.say("view.title")}>
        {VIEWS.map((one) => (
          <a key={one} href={`#${one}`} aria-current={one === view ? "page" : undefined}>
            {words.say(`view.${one}`)}
            {one === "rules" && wrong && (
              <span class="badge" title={words.say("view.rulesWrong")}>
                !
              </span>
            )}
          </a>
        ))}
      </nav>
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
