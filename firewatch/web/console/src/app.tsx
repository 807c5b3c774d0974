// The screen: what it holds in memory, and where each thing has its fixed place.

import { useCallback, useEffect, useMemo, useReducer, useRef, useState } from "preact/hooks";

import { returnedAlarms, type Alarm, type FeedMessage, type Lang } from "./api";
import { Facts } from "./facts";
import { clockTime } from "./format";
import { keep, kept } from "./keep";
import { ScreenContext, type Screen } from "./screen";
import { follow, type Connection } from "./stream";
import { browserLanguage, Words, WordsContext } from "./text";
import { AlarmList } from "./view/alarm-list";
import { Announcer } from "./view/announcer";
import { Cameras } from "./view/cameras";
import { Lamps } from "./view/lamps";
import { LostBanner } from "./view/lost-banner";
import { OperatorDialog } from "./view/operator";
import { RulesPage } from "./view/rules-page";
import { StatusBar } from "./view/status-bar";
import { Systems } from "./view/systems";
import { TopBar } from "./view/top-bar";
import { useSound } from "./view/use-sound";
import { useView } from "./view/use-view";
import { EMPTY, receive, withReturned, type World } from "./world";

const TICK_MS = 1_000;
const RETURNED_SHOWN = 8;
/** Messages of this time are shown together: five hundred alarms at once are not five hundred new screens. */
const GATHER_MS = 50;

type Change = FeedMessage | { type: "returned"; alarms: Alarm[] };

const change = (world: World, messages: Change[]): World =>
  messages.reduce(
    (before, message) =>
      message.type === "returned" ? withReturned(before, message.alarms) : receive(before, message),
    world,
  );

export function App() {
  const [lang, setLang] = useState<Lang>(() => (kept("language") as Lang | null) ?? browserLanguage());
  const words = useMemo(() => new Words(lang), [lang]);
  const [world, tell] = useReducer(change, EMPTY);
  const [connection, setConnection] = useState<Connection>("connecting");
  const [now, setNow] = useState(() => Date.now());
  const [operator, setOperator] = useState(() => kept("operator"));
  const [naming, setNaming] = useState<((name: string) => void) | null>(null);
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

  useEffect(() => {
    let gathered: FeedMessage[] = [];
    let timer: number | undefined;
    const show = (): void => {
      clearTimeout(timer);
      timer = undefined;
      setNow(Date.now() + offset.current);
      tell(gathered);
      gathered = [];
    };
    const stop = follow({
      message(message) {
        if ("now" in message) offset.current = Date.parse(message.now) - Date.now();
        heard.current = Date.now() + offset.current;
        gathered.push(message);
        // The connection is live with the snapshot, and an empty screen must not pass for the present for a moment.
        if (message.type === "snapshot") show();
        else timer ??= window.setTimeout(show, GATHER_MS);
      },
      connection(state) {
        setConnection(state);
        if (state !== "live") return;
        // Without a history there is nothing to add: the standing alarms are in the snapshot.
        returnedAlarms(RETURNED_SHOWN).then(
          (alarms) => tell([{ type: "returned", alarms }]),
          () => undefined,
        );
      },
    });
    return () => {
      stop();
      clearTimeout(timer);
    };
  }, []);

  const live = connection === "live";
  const view = useView();
  const facts = useMemo(() => new Facts(world), [world]);
  const { sound, toggleSound } = useSound(facts, connection);

  const nameOperator = useCallback((then: (name: string) => void) => setNaming(() => then), []);
  const screen: Screen = useMemo(
    () => ({
      world,
      facts,
      now,
      live,
      operator,
      nameOperator,
      time: (instant, site) => clockTime(instant, facts.timeZone(site)),
    }),
    [world, facts, now, live, operator, nameOperator],
  );

  return (
    <WordsContext.Provider value={words}>
      <ScreenContext.Provider value={screen}>
        <div class={live ? "screen" : "screen lost"}>
          <TopBar
            view={view}
            connection={connection}
            sound={sound}
            toggleSound={toggleSound}
            toggleLanguage={() => setLang(lang === "zh" ? "en" : "zh")}
          />
          {connection === "lost" && <LostBanner heard={heard.current} />}
          <Lamps />
          {view === "rules" ? (
            <RulesPage />
          ) : (
            <main>
              <AlarmList />
              <div class="plant">
                <Cameras />
                <Systems />
              </div>
            </main>
          )}
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
