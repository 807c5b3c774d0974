// The screen: what it holds in memory, and where each thing has its fixed place.

import { useCallback, useEffect, useMemo, useReducer, useRef, useState } from "preact/hooks";

import {
  incidents,
  kinds,
  returnedAlarms,
  seats as allSeats,
  type Alarm,
  type FeedMessage,
  type IncidentView,
  type KindView,
  type Lang,
  type SeatView,
} from "./api";
import { deviceKey, Facts } from "./facts";
import { clockTime, momentTime } from "./format";
import { keep, kept } from "./keep";
import { DeskContext, NowContext, SceneContext, type Desk } from "./screen";
import { follow, type Connection } from "./stream";
import { browserLanguage, Words, WordsContext } from "./text";
import { AlarmList } from "./view/alarm-list";
import { Announcer } from "./view/announcer";
import { Cameras } from "./view/cameras";
import { ControlRoomPage } from "./view/control-room-page";
import { DrillsPage } from "./view/drills-page";
import { asksSeat, DutyBand } from "./view/duty-band";
import { Lamps } from "./view/lamps";
import { LostBanner } from "./view/lost-banner";
import { NotificationsPage } from "./view/notifications-page";
import { OperatorDialog } from "./view/operator";
import { RulesPage } from "./view/rules-page";
import { StatusBar } from "./view/status-bar";
import { Systems } from "./view/systems";
import { TopBar } from "./view/top-bar";
import { useSound } from "./view/use-sound";
import { useView } from "./view/use-view";
import { WorkloadPage } from "./view/workload-page";
import { EMPTY, receive, withIncidents, withReturned, type World } from "./world";

const TICK_MS = 1_000;
const RETURNED_SHOWN = 8;
/** Messages of this time are shown together: five hundred alarms at once are not five hundred new screens. */
const GATHER_MS = 50;

type Change =
  | FeedMessage
  | { type: "returned"; alarms: Alarm[] }
  | { type: "incidents"; incidents: IncidentView[] }
  | { type: "kinds"; kinds: KindView[] };

function after(world: World, message: Change): World {
  switch (message.type) {
    case "returned":
      return withReturned(world, message.alarms);
    case "incidents":
      return withIncidents(world, message.incidents);
    case "kinds":
      return { ...world, kinds: message.kinds };
    default:
      return receive(world, message);
  }
}

const change = (world: World, messages: Change[]): World => messages.reduce(after, world);

export function App() {
  const [lang, setLang] = useState<Lang>(() => (kept("language") as Lang | null) ?? browserLanguage());
  const words = useMemo(() => new Words(lang), [lang]);
  const [world, tell] = useReducer(change, EMPTY);
  const [connection, setConnection] = useState<Connection>("connecting");
  const [now, setNow] = useState(() => Date.now());
  const [operator, keepOperator] = useState(() => kept("operator"));
  const [seats, setSeats] = useState<readonly SeatView[]>([]);
  const [chosenSeat, setChosenSeat] = useState(() => kept("seat"));
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
        // What is beside the snapshot, and is missing where it cannot be had: the alarms are there all the same.
        const add = <T,>(asked: Promise<T>, then: (answer: T) => void): void => void asked.then(then, () => undefined);
        add(returnedAlarms(RETURNED_SHOWN), (alarms) => tell([{ type: "returned", alarms }]));
        add(incidents(), (views) => tell([{ type: "incidents", incidents: views }]));
        add(kinds(), (found) => tell([{ type: "kinds", kinds: found }]));
        add(allSeats(), setSeats);
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
  const setOperator = useCallback((name: string) => {
    keep("operator", name);
    keepOperator(name);
  }, []);
  const nameOperator = useCallback((then: (name: string) => void) => setNaming(() => then), []);
  const seat = seats.length === 1 ? seats[0]!.seat.id : (seats.find((one) => one.seat.id === chosenSeat)?.seat.id ?? null);
  const desk: Desk = useMemo(() => {
    const sites = new Map(world.sites.map((site) => [site.id, site]));
    const zone = (site?: string): string => (site ? sites.get(site) : world.sites[0])?.time_zone ?? "UTC";
    const kindOf = new Map(world.devices.map((device) => [deviceKey(device), device.kind]));
    const kindNamed = new Map(world.kinds.map((kind) => [kind.kind, kind]));
    return {
      live,
      operator,
      nameOperator,
      setOperator,
      seats,
      seat,
      time: (instant, site) => clockTime(instant, zone(site)),
      moment: (instant, site) => momentTime(instant, Date.now() + offset.current, zone(site), words.lang),
      buildingLabel: (site, building) =>
        sites.get(site)?.buildings.find((candidate) => candidate.id === building)?.label ?? null,
      action: (device, name) => kindNamed.get(kindOf.get(device) ?? "")?.actions.find((one) => one.name === name),
    };
  }, [world.sites, world.devices, world.kinds, live, operator, nameOperator, setOperator, seats, seat, words]);
  const { sound, toggleSound } = useSound(facts, connection, asksSeat(world, seat));
  const scene = useMemo(() => ({ world, facts }), [world, facts]);

  return (
    <WordsContext.Provider value={words}>
      <DeskContext.Provider value={desk}>
        <SceneContext.Provider value={scene}>
          <NowContext.Provider value={now}>
            <div class={live ? "screen" : "screen lost"}>
              <TopBar
                view={view}
                connection={connection}
                sound={sound}
                toggleSound={toggleSound}
                chooseSeat={(chosen) => {
                  keep("seat", chosen);
                  setChosenSeat(chosen);
                }}
                toggleLanguage={() => setLang(lang === "zh" ? "en" : "zh")}
              />
              <DutyBand />
              {connection === "lost" && <LostBanner heard={heard.current} />}
              <Lamps />
              {view === "control-room" && <ControlRoomPage />}
              {view === "workload" && <WorkloadPage />}
              {view === "notifications" && <NotificationsPage />}
              {view === "drills" && <DrillsPage />}
              {view === "rules" && <RulesPage />}
              {view === "watch" && (
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
                    setOperator(name);
                    setNaming(null);
                    naming(name);
                  }}
                />
              )}
            </div>
          </NowContext.Provider>
        </SceneContext.Provider>
      </DeskContext.Provider>
    </WordsContext.Provider>
  );
}
