import { calendarDate } from "../format";
import { useScreen } from "../screen";
import type { Connection } from "../stream";
import { useWords } from "../text";

interface Props {
  connection: Connection;
  soundOn: boolean;
  toggleSound(): void;
  toggleLanguage(): void;
}

export function TopBar({ connection, soundOn, toggleSound, toggleLanguage }: Props) {
  const words = useWords();
  const { world, now, timeZone, operator, nameOperator, time } = useScreen();
  const [site, ...others] = world.sites;
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
        <b>{time(now)}</b>
      </time>
      <div class="controls">
        <span class={`connection ${connection}`} role="status">
          {words.say(`connection.${connection}`)}
        </span>
        <button
          type="button"
          class={soundOn ? "plain on" : "plain"}
          aria-pressed={soundOn}
          title={words.say(soundOn ? "sound.turnOff" : "sound.turnOn")}
          onClick={toggleSound}
        >
          {words.say(soundOn ? "sound.on" : "sound.off")}
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
