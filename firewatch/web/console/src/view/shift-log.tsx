// The log of a seat: what operators and firewatch wrote, filtered by time and kind, and the box to write into it.

import { useMemo, useRef, useState } from "preact/hooks";

import { ENTRY_KINDS, log, logTable, writeNote, type EntryKind, type LogEntry, type LogFilter } from "../control-room";
import { calendarDate, clockTime, dayStart, isoDay } from "../format";
import { useNow, useScreen } from "../screen";
import { useWords } from "../text";
import { AlarmName } from "./alarm-name";
import { useAsked } from "./use-asked";
import { Trouble, useRequest } from "./use-request";

const ASKED_EVERY_MS = 3_000;
const DAY_MS = 86_400_000;
const PAGE = 200;
/** The most that the server gives at a time; the table has more. */
const MOST = 1_000;
const LONGEST_TEXT = 2_000;
const LISTED_ALARMS = 50;

const PERIODS = ["turn", "1d", "7d", "31d", "dates"] as const;
type Period = (typeof PERIODS)[number];
const DAYS: Readonly<Partial<Record<Period, number>>> = { "1d": 1, "7d": 7, "31d": 31 };

interface Props {
  seat: string;
  /** Null until the seat is known. */
  zone: string | null;
  /** Since when the turn of duty goes on. */
  since: string | null;
}

export function ShiftLog({ seat, zone: wall, since }: Props) {
  const words = useWords();
  const now = useNow();
  const { facts } = useScreen();
  const zone = wall ?? facts.timeZone();
  const [period, setPeriod] = useState<Period>("7d");
  const [kind, setKind] = useState<EntryKind | null>(null);
  const [from, setFrom] = useState(() => isoDay(now - 7 * DAY_MS, zone));
  const [to, setTo] = useState(() => isoDay(now, zone));
  const [limit, setLimit] = useState(PAGE);
  const [corrected, setCorrected] = useState<LogEntry | null>(null);

  const filter = (): LogFilter => {
    const days = DAYS[period];
    if (days !== undefined) return { seat, kind, start: now - days * DAY_MS, end: null };
    if (period === "turn") return { seat, kind, start: since === null ? now - DAY_MS : Date.parse(since), end: null };
    const start = dayStart(from, zone);
    return { seat, kind, start, end: Math.max(dayStart(to, zone) + DAY_MS, start + DAY_MS) };
  };
  const about = [period, kind, limit, period === "turn" ? since : "", period === "dates" ? `${from} ${to}` : ""].join(" ");
  const { answer, failed, again } = useAsked(() => log(filter(), limit), about, ASKED_EVERY_MS);

  return (
    <section class="log-panel" aria-label={words.say("log.title")}>
      <Writing seat={seat} corrected={corrected} done={() => (setCorrected(null), again())} />
      <div class="block log">
        <header>
          <h2>{words.say("log.title")}</h2>
          <div class="filters">
            <select
              class="plain"
              aria-label={words.say("log.period")}
              value={period}
              onChange={(event) => (setPeriod(event.currentTarget.value as Period), setLimit(PAGE))}
            >
              {PERIODS.map((one) => (
                <option key={one} value={one}>
                  {words.say(`log.period.${one}`)}
                </option>
              ))}
            </select>
            <select
              class="plain"
              aria-label={words.say("log.kind")}
              value={kind ?? ""}
              onChange={(event) => setKind((event.currentTarget.value || null) as EntryKind | null)}
            >
              <option value="">{words.say("log.kind.all")}</option>
              {ENTRY_KINDS.map((one) => (
                <option key={one} value={one}>
                  {words.say(`entry.${one}`)}
                </option>
              ))}
            </select>
            <a class="plain" href={logTable(filter())} download title={words.say("log.tableHint")}>
              CSV
            </a>
          </div>
        </header>
        {period === "dates" && (
          <p class="dates">
            <label>
              {words.say("log.from")}
              <input type="date" value={from} onInput={(event) => event.currentTarget.value && setFrom(event.currentTarget.value)} />
            </label>
            <label>
              {words.say("log.to")}
              <input type="date" value={to} onInput={(event) => event.currentTarget.value && setTo(event.currentTarget.value)} />
            </label>
          </p>
        )}
        <div class="scroll">
          {answer && <Entries entries={answer} zone={zone} correct={setCorrected} />}
          {!answer && <p class="hint">{words.say(failed ? "log.failed" : "room.asking")}</p>}
          {answer?.length === 0 && <p class="nothing">{words.say("log.empty")}</p>}
          {answer && answer.length >= limit && limit < MOST && (
            <button type="button" class="plain" onClick={() => setLimit(MOST)}>
              {words.say("log.older")}
            </button>
          )}
          {answer && answer.length >= MOST && <p class="hint">{words.say("log.more", { n: MOST })}</p>}
        </div>
      </div>
    </section>
  );
}

/** What an operator writes; an entry stays as it is, so what was wrong is told by a further one. */
function Writing({ seat, corrected, done }: { seat: string; corrected: LogEntry | null; done(): void }) {
  const words = useWords();
  const { live, facts } = useScreen();
  const { ask, asking, trouble } = useRequest();
  const [text, setText] = useState("");
  const [about, setAbout] = useState("");
  const box = useRef<HTMLTextAreaElement>(null);
  const written = text.trim();
  const focused = useRef<LogEntry | null>(null);
  if (corrected !== focused.current) {
    focused.current = corrected;
    if (corrected) setTimeout(() => box.current?.focus());
  }

  const send = (): void => {
    if (!written || asking || !live) return;
    const alarm = corrected?.alarm_id ?? about;
    const note = {
      seat,
      text: written,
      ...(alarm ? { alarm_id: alarm } : {}),
      ...(corrected ? { corrects: corrected.entry_id } : {}),
    };
    ask(
      (operator) => writeNote(operator, note),
      () => {
        setText("");
        setAbout("");
        done();
      },
    );
  };

  return (
    <form
      class="block writing"
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
    >
      {corrected && (
        <p class="correcting">
          <span>
            {words.say("log.correcting")} <q>{words.of(corrected.text)}</q>
          </span>
          <button type="button" class="text-button" onClick={done}>
            {words.say("common.cancel")}
          </button>
        </p>
      )}
      <textarea
        ref={box}
        rows={2}
        maxLength={LONGEST_TEXT}
        aria-label={words.say(corrected ? "log.correction" : "log.write")}
        placeholder={words.say(corrected ? "log.correctionHint" : "log.writeHint")}
        value={text}
        onInput={(event) => setText(event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) send();
        }}
      />
      <div class="foot">
        {!corrected && facts.alarms.length > 0 && (
          <label class="about">
            {words.say("log.about")}
            <select class="plain" value={about} onChange={(event) => setAbout(event.currentTarget.value)}>
              <option value="">{words.say("log.aboutNothing")}</option>
              {facts.alarms.slice(0, LISTED_ALARMS).map((alarm) => (
                <option key={alarm.alarm_id} value={alarm.alarm_id}>
                  {words.say("common.at", { text: words.of(alarm.text), place: words.of(alarm.place) })}
                </option>
              ))}
            </select>
          </label>
        )}
        <Trouble trouble={trouble} />
        <span class="hint grow right">{words.say("log.kept")}</span>
        <button type="submit" class="main" disabled={!written || asking || !live}>
          {words.say(corrected ? "log.correct" : "log.enter")}
        </button>
      </div>
    </form>
  );
}

interface EntriesProps {
  entries: LogEntry[];
  zone: string;
  correct(entry: LogEntry): void;
}

function Entries({ entries, zone, correct }: EntriesProps) {
  const words = useWords();
  const days = useMemo(() => Map.groupBy(entries, (entry) => isoDay(Date.parse(entry.entry_time), zone)), [entries, zone]);
  const corrections = useMemo(
    () => new Map(entries.flatMap((entry) => (entry.corrects ? [[entry.corrects, entry] as const] : []))),
    [entries],
  );
  const known = useMemo(() => new Map(entries.map((entry) => [entry.entry_id, entry])), [entries]);
  return (
    <>
      {[...days].map(([day, of]) => (
        <section key={day} class="day">
          <h3>{calendarDate(Date.parse(of[0]!.entry_time), zone, words.lang)}</h3>
          <ol>
            {of.map((entry) => (
              <Entry
                key={entry.entry_id}
                entry={entry}
                zone={zone}
                correction={corrections.get(entry.entry_id) ?? null}
                wrong={entry.corrects === null ? null : (known.get(entry.corrects) ?? null)}
                correct={() => correct(entry)}
              />
            ))}
          </ol>
        </section>
      ))}
    </>
  );
}

interface EntryProps {
  entry: LogEntry;
  zone: string;
  /** The entry that corrects it, and the one that it corrects, where they are shown. */
  correction: LogEntry | null;
  wrong: LogEntry | null;
  correct(): void;
}

function Entry({ entry, zone, correction, wrong, correct }: EntryProps) {
  const words = useWords();
  const own = entry.author !== "firewatch";
  return (
    <li class={`entry ${own ? "own" : ""} ${correction ? "corrected" : ""}`} data-kind={entry.kind} data-entry={entry.entry_id}>
      <time>{clockTime(entry.entry_time, zone)}</time>
      <span class="entry-kind">{words.say(`entry.${entry.kind}`)}</span>
      <div class="entry-text">
        <p>{words.of(entry.text)}</p>
        {correction && (
          <p class="correction">
            {words.say("log.correctedBy", { who: correction.author, time: clockTime(correction.entry_time, zone) })}
          </p>
        )}
        {entry.corrects !== null && (
          <p class="correction">
            {wrong
              ? words.say("log.corrects", { time: clockTime(wrong.entry_time, zone), who: wrong.author })
              : words.say("log.correctsOlder")}
          </p>
        )}
        {entry.alarm_id !== null && <AlarmName alarmId={entry.alarm_id} />}
      </div>
      <div class="entry-author">
        <span class={own ? "" : "resting"}>{entry.author}</span>
        {entry.kind === "note" && !correction && (
          <button type="button" class="text-button" onClick={correct}>
            {words.say("log.correct")}
          </button>
        )}
      </div>
    </li>
  );
}
