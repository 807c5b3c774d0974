// The screen: what it holds in memory, and where each thing has its fixed place.

import { useCallback, useEffect, useMemo, useReducer, useRef, useState } from "preact/hooks";

import { returnedAlarms, type FeedMessage, type Lang } from "./api";
import { clockTime } from "./format";
import { keep, kept } from "./keep";
import { ScreenContext, type Screen } from "./screen";
import { Sounder } from "./sound";
import { follow, type Connection } from "./stream";
import { browserLanguage, Words, WordsContext } from "./text";
import { AlarmList } from "./view/alarm-list";
import { Announcer } from "./view/announcer";
import { Cameras } from "./view/cameras";
import { Lamps } from "./view/lamps";
import { LostBanner } from "./view/lost-banner";
import { OperatorDialog } from "./view/operator";
import { StatusBar } from "./view/status-bar";
import { Systems } from "./view/systems";
import { TopBar } from "./view/top-bar";
import { useAlarmTone } from "./view/use-alarm-tone";
import { EMPTY, receive, withReturned, type World } from "./world";
import type { Alarm } from "./api";

const TICK_MS = 1_000;
const RETURNED_SHOWN = 8;

type Change = FeedMessage | { type: "returned"; alarms: Alarm[] };

const change = (world: World, message: Change): World =>
  message.type === "returned" ? withReturned(world, message.alarms) : receive(world, message);

export function App() {
  const [lang, setLang] = useState<Lang>(() => (kept("language") as Lang | null) ?? browserLanguage());
  const words = useMemo(() => new Words(lang), [lang]);
  const [world, tell] = useReducer(change, EMPTY);
  const [connection, setConnection] = useState<Connection>("connecting");
  const [now, setNow] = useState(() => Date.now());
  const [operator, setOperator] = useState(() => kept("operator"));
  const [naming, setNaming] = useState<((name: string) => void) | null>(null);
  const [sounder, setSounder] = useState<Sounder | null>(null);
  /** Ages are told by the server's clock: a desk's own may be wrong by minutes. */
  const offset = useRef(0);
  const heard = useRef<number | null>(null);

  useEffect(() => {
    document.documentElement.lang = lang === "zh" ? "zh-CN" : "en";
    keep("language", lang);
  }, [lang]);

  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now() + offset.current), TICK_MS);
    return () => clearInterval(timer);
  }, []);

  useEffect(
    () =>
      follow({
        message(message) {
          if ("now" in message) offset.current = Date.parse(message.now) - Date.now();
          heard.current = Date.now() + offset.current;
          setNow(heard.current);
          tell(message);
        },
        connection(state) {
          setConnection(state);
          if (state !== "live") return;
          // Without a history there is nothing to add: the standing alarms are in the snapshot.
          returnedAlarms(RETURNED_SHOWN).then(
            (alarms) => tell({ type: "returned", alarms }),
            () => undefined,
          );
        },
      }),
    [],
  );

  const live = connection === "live";
  useAlarmTone(sounder, world);

  const nameOperator = useCallback((then: (name: string) => void) => setNaming(() => then), []);
  const timeZone = world.sites[0]?.time_zone ?? "UTC";
  const screen: Screen = useMemo(
    () => ({ world, now, live, timeZone, operator, nameOperator, time: (instant) => clockTime(instant, timeZone) }),
    [world, now, live, timeZone, operator, nameOperator],
  );

  return (
    <WordsContext.Provider value={words}>
      <ScreenContext.Provider value={screen}>
        <div class={live ? "screen" : "screen lost"}>
          <TopBar
            connection={connection}
            soundOn={sounder !== null}
            toggleSound={() => {
              sounder?.close();
              setSounder(sounder ? null : new Sounder());
            }}
            toggleLanguage={() => setLang(lang === "zh" ? "en" : "zh")}
          />
          {connection === "lost" && <LostBanner heard={heard.current} />}
          <Lamps />
          <main>
            <AlarmList />
            <div class="plant">
              <Cameras />
              <Systems />
            </div>
          </main>
          <StatusBar />
          <Announcer />
          {naming && (
            <OperatorDialog
              given={operator}
              close={() => setNaming(null)}
              name={(name) => {
                keep("operator", name);
                setOperator(name);
                setNaming(null);
                naming(name);
              }}
            />
          )}
        </div>
      </ScreenContext.Provider>
    </WordsContext.Provider>
  );
}
