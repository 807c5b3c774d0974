// The work that alarms make this seat: how many came, whether a person can deal with them, which ones to mend, which were late.

import { useState } from "preact/hooks";

import { PRIORITIES } from "../api";
import { age, milliseconds } from "../format";
import { useDesk, useNow, useScreen } from "../screen";
import { useWords } from "../text";
import {
  lateAlarms,
  workload,
  type Aim,
  type BadActor,
  type Deadlines,
  type Figures,
  type Judgement,
  type LateAlarm,
  type Workload,
} from "../workload";
import { AlarmName } from "./alarm-name";
import { RuleDialog } from "./explanation";
import { bars, burden, BY_10_MINUTES, BY_HOUR, HOUR_MS, RatePlot, TEN_MINUTES_MS, type Burden } from "./rate-plot";
import { useAsked } from "./use-asked";
import { SeatChoice, useShownSeat } from "./use-shown-seat";

const ASKED_EVERY_MS = 3_000;
const LATE_ASKED_EVERY_MS = 30_000;
const DAY_MS = 24 * HOUR_MS;
/** Somewhat less than the longest that the server looks back: its clock may be ahead of what is shown. */
const LATE_WITHIN_MS = DAY_MS - 5 * 60_000;
const LATE_LISTED = 50;
/** What ISA-18.2 wants of the priorities, in percent. */
const WANTED_SPLIT = { high: 5, medium: 15, low: 80 } as const;

export function WorkloadPage() {
  const words = useWords();
  const { seat, choose } = useShownSeat();
  if (seat === null) return <main class="workload" aria-busy="true" />;
  return (
    <main class="workload" aria-label={words.say("load.title")}>
      <Shown key={seat} seat={seat} choose={choose} />
    </main>
  );
}

function Shown({ seat, choose }: { seat: string; choose(seat: string): void }) {
  const words = useWords();
  const now = useNow();
  const { answer, failed } = useAsked(() => workload(seat), seat, ASKED_EVERY_MS);
  const late = useAsked(() => lateAlarms(now - LATE_WITHIN_MS), "late", LATE_ASKED_EVERY_MS);
  const figures = answer?.figures ?? null;
  if (!answer || !figures) {
    return <p class="hint">{words.say(answer ? "load.counting" : failed ? "log.failed" : "room.asking")}</p>;
  }
  return (
    <>
      <section class="panel scroll" aria-label={words.say("load.rates")}>
        <Rates answer={answer} figures={figures} late={late.answer} choose={choose} />
        <Priorities figures={figures} judgements={answer.judgements} />
        <Wanted judgements={answer.judgements} />
        <Monthly seat={seat} />
      </section>
      <section class="panel scroll" aria-label={words.say("load.mend")}>
        <Late deadlines={late.answer} failed={late.failed} />
        <BadActors figures={figures} judgements={answer.judgements} />
        <Nuisance figures={figures} judgements={answer.judgements} />
        <Answers figures={figures} />
      </section>
    </>
  );
}

/** The aim of a figure in words, such as "at most 10"; its source is in the tooltip. */
function Target({ judgement }: { judgement: Judgement | undefined }) {
  const words = useWords();
  if (!judgement) return null;
  return (
    <small class={judgement.is_met ? "target met" : "target missed"} title={judgement.source}>
      {judgement.limit === 0
        ? words.say("load.none")
        : words.say(judgement.is_below ? "load.below" : "load.atMost", { limit: limitOf(judgement) })}
      <sup>{sourceNumber(judgement)}</sup>
    </small>
  );
}

/** A limit of the day, held against what there is now. */
const atPresent = (judgement: Judgement | undefined, value: number): Judgement | undefined =>
  judgement && { ...judgement, value, is_met: judgement.is_below ? value < judgement.limit : value <= judgement.limit };

const aimOf = (judgements: readonly Judgement[], aim: Aim): Judgement | undefined =>
  judgements.find((one) => one.aim === aim);
const isPercent = ({ aim }: Judgement): boolean => aim.endsWith("_percent");
const limitOf = (judgement: Judgement): string => `${judgement.limit}${isPercent(judgement) ? " %" : ""}`;
const number = (value: number): string =>
  Number.isInteger(value) ? String(value) : value < 10 ? value.toFixed(1) : value.toFixed(0);
/** The footnotes: 1 is ISA-18.2, 2 is EEMUA 191. */
const sourceNumber = ({ source }: Judgement): string =>
  [source.includes("ISA") && "1", source.includes("EEMUA") && "2"].filter(Boolean).join(",");

interface RatesProps {
  answer: Workload;
  figures: Figures;
  late: Deadlines | null;
  choose(seat: string): void;
}

function Rates({ answer, figures, late, choose }: RatesProps) {
  const words = useWords();
  const start = Date.parse(figures.start_time);
  const end = Date.parse(figures.end_time);
  const rate = figures.current_alarm_rate.of_their_own;
  const hour = figures.last_hour.of_their_own;
  const short = end - start < DAY_MS - TEN_MINUTES_MS;
  const from = Math.max(start, end - DAY_MS);
  return (
    <section class="block" data-rates>
      <header>
        <h2>{words.say("load.title")}</h2>
        <span class="resting">{words.say(short ? "load.sinceStart" : "load.day", { age: age(words, end - start) })}</span>
        <span class="grow" />
        <SeatChoice seat={answer.seat} choose={choose} />
      </header>
      <ul class="figures tall">
        <Tile name="10min" value={rate} burden={figures.in_flood ? "flood" : burden(rate, BY_10_MINUTES)} detail={words.say("load.bands10")} />
        <Tile name="hour" value={hour} burden={burden(hour, BY_HOUR)} detail={words.say("load.bandsHour")} />
        <Judged name="peak" value={figures.maximum_alarm_rate} judgement={aimOf(answer.judgements, "most_in_10_minutes")} />
        <Judged
          name="flood"
          value={milliseconds(figures.flood_time) > 0 ? age(words, milliseconds(figures.flood_time)) : "0"}
          judgement={aimOf(answer.judgements, "flooded_percent")}
        />
        <Judged name="active" value={figures.active.now} judgement={atPresent(aimOf(answer.judgements, "standing_at_most"), figures.active.now)} />
        <li class={late && late.late > 0 ? "missed" : ""} data-figure="late">
          <b>{late ? late.late : "–"}</b>
          <span>{words.say("load.late")}</span>
          <small class="target">{words.say("load.none")}</small>
        </li>
      </ul>
      <RatePlot
        title={words.say("load.by10min")}
        shown={bars(answer.intervals, from, end, TEN_MINUTES_MS)}
        spanMs={TEN_MINUTES_MS}
        bands={BY_10_MINUTES}
        height={150}
      />
      <RatePlot
        title={words.say("load.byHour")}
        shown={bars(answer.intervals, from, end, HOUR_MS)}
        spanMs={HOUR_MS}
        bands={BY_HOUR}
        height={104}
      />
    </section>
  );
}

function Tile({ name, value, burden: heavy, detail }: { name: "10min" | "hour"; value: number; burden: Burden; detail: string }) {
  const words = useWords();
  return (
    <li class={`burden ${heavy}`} data-figure={name} title={detail}>
      <b>{value}</b>
      <span>{words.say(`load.${name}`)}</span>
      <small class="target">
        {words.say(`burden.${heavy}`)}
        <sup>1</sup>
      </small>
    </li>
  );
}

interface JudgedProps {
  name: "peak" | "flood" | "active";
  value: string | number;
  judgement: Judgement | undefined;
}

function Judged({ name, value, judgement }: JudgedProps) {
  const words = useWords();
  return (
    <li class={judgement && !judgement.is_met ? "missed" : ""} data-figure={name}>
      <b>{value}</b>
      <span>{words.say(`load.${name}`)}</span>
      <Target judgement={judgement} />
    </li>
  );
}

/** How urgent the alarms were, and how urgent they should be: when all are urgent, none is. */
function Priorities({ figures, judgements }: { figures: Figures; judgements: readonly Judgement[] }) {
  const words = useWords();
  const total = PRIORITIES.reduce((sum, priority) => sum + figures.priorities[priority], 0);
  const percent = (count: number): number => (total === 0 ? 0 : (100 * count) / total);
  const shares = PRIORITIES.map((priority) => ({ priority, share: percent(figures.priorities[priority]) }));
  const wanted = [
    { priority: "high", share: WANTED_SPLIT.high },
    { priority: "medium", share: WANTED_SPLIT.medium },
    { priority: "low", share: WANTED_SPLIT.low },
  ] as const;
  const highest = aimOf(judgements, "highest_priority_percent");
  return (
    <section class="block" data-priorities>
      <h2>{words.say("load.priorities")}</h2>
      {total === 0 ? (
        <p class="hint">{words.say("load.noAlarms")}</p>
      ) : (
        <div class="split">
          <span class="resting">{words.say("load.is")}</span>
          <div class="bar" role="img" aria-label={shares.map(({ priority, share }) => `${words.say(`priority.${priority}`)} ${number(share)} %`).join(", ")}>
            {shares.map(({ priority, share }) => share > 0 && <i key={priority} class={priority} style={{ flexGrow: share }} />)}
          </div>
          <span class="resting">{words.say("load.wanted")}</span>
          <div class="bar thin" aria-hidden="true">
            {wanted.map(({ priority, share }) => (
              <i key={priority} class={priority} style={{ flexGrow: share }} />
            ))}
          </div>
        </div>
      )}
      <ul class="legend">
        {shares.map(({ priority, share }) => (
          <li key={priority} data-priority={priority}>
            <i class={priority} aria-hidden="true" />
            {words.say(`priority.${priority}`)} <b>{total === 0 ? "–" : `${number(share)} %`}</b>{" "}
            <span class="resting">{words.say("load.count", { n: figures.priorities[priority] })}</span>
          </li>
        ))}
      </ul>
      <p class="hint" title={highest?.source}>
        {words.say("load.splitWanted")}
        <sup>1</sup>
      </p>
    </section>
  );
}

/** Every figure that a standard wants something of. */
function Wanted({ judgements }: { judgements: readonly Judgement[] }) {
  const words = useWords();
  const met = judgements.filter((one) => one.is_met).length;
  return (
    <section class="block" data-wanted>
      <h2>{words.say("load.standards")}</h2>
      <details open={met < judgements.length}>
        <summary>{words.say("load.met", { n: met, all: judgements.length })}</summary>
        <table class="numbers wanted">
          <thead>
            <tr>
              <th>{words.say("load.figure")}</th>
              <th>{words.say("load.is")}</th>
              <th>{words.say("load.wanted")}</th>
              <th>{words.say("load.isMet")}</th>
            </tr>
          </thead>
          <tbody>
            {judgements.map((one) => (
              <tr key={one.aim} data-aim={one.aim} class={one.is_met ? "" : "missed"} title={one.source}>
                <td>{words.say(`aim.${one.aim}`)}</td>
                <td>
                  {number(one.value)}
                  {isPercent(one) && " %"}
                </td>
                <td>
                  {one.is_below ? "<" : "≤"} {limitOf(one)}
                  <sup>{sourceNumber(one)}</sup>
                </td>
                <td>{one.is_met ? "✓" : "✕"}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </details>
      <ol class="footnotes">
        <li>{words.say("load.isa")}</li>
        <li>{words.say("load.eemua")}</li>
      </ol>
    </section>
  );
}

function Monthly({ seat }: { seat: string }) {
  const words = useWords();
  const now = useNow();
  const { seats } = useDesk();
  const month = new Date(now).toISOString().slice(0, 7);
  const whose = seats.length > 1 ? ` --seat ${seat}` : "";
  return (
    <section class="block" data-monthly>
      <h2>{words.say("load.monthly")}</h2>
      <p class="hint">{words.say("load.monthlyHint")}</p>
      <pre class="type-this">{`firewatch report workload --month ${month}${whose} > workload.html`}</pre>
    </section>
  );
}

function BadActors({ figures, judgements }: { figures: Figures; judgements: readonly Judgement[] }) {
  const words = useWords();
  const [asked, setAsked] = useState<BadActor | null>(null);
  const most = Math.max(...figures.bad_actors.map(({ share }) => share), 0.01);
  return (
    <section class="block" data-bad-actors>
      <header>
        <h2>{words.say("load.badActors")}</h2>
        {figures.bad_actors.length > 0 && (
          <span>
            <b>{number(100 * figures.bad_actors_share)} %</b> <Target judgement={aimOf(judgements, "bad_actors_percent")} />
          </span>
        )}
      </header>
      {figures.bad_actors.length === 0 && <p class="hint">{words.say("load.noAlarms")}</p>}
      <ol class="actors">
        {figures.bad_actors.map((actor) => (
          <li key={`${actor.rule} ${actor.subject}`} data-actor={`${actor.rule} ${actor.subject}`}>
            <button type="button" title={words.say("load.toRule")} onClick={() => setAsked(actor)}>
              <span class="share" style={{ width: `${(100 * actor.share) / most}%` }} aria-hidden="true" />
              <span class="what">
                <b>
                  <Subject subject={actor.subject} />
                </b>
                <code>{actor.rule}</code>
                {actor.chattering && <span class="mark-chip">{words.say("load.chatters")}</span>}
              </span>
              <span class="count" title={words.say("load.tally", { own: actor.tally.of_their_own, grouped: actor.tally.grouped })}>
                {actor.tally.of_their_own + actor.tally.grouped}
                <small>{number(100 * actor.share)} %</small>
              </span>
            </button>
          </li>
        ))}
      </ol>
      {asked && <RuleDialog rule={asked.rule} subject={asked.subject} close={() => setAsked(null)} />}
    </section>
  );
}

/** A device or an asset by the name that people know it by. */
function Subject({ subject }: { subject: string }) {
  const words = useWords();
  const { world, facts } = useScreen();
  const [site = "", id = ""] = subject.split("/");
  const label =
    facts.devices.get(subject)?.label ??
    world.sites.find((one) => one.id === site)?.assets.find((asset) => asset.id === id)?.label;
  return <>{label ? words.of(label) : subject}</>;
}

function Nuisance({ figures, judgements }: { figures: Figures; judgements: readonly Judgement[] }) {
  const words = useWords();
  const now = useNow();
  return (
    <section class="block" data-nuisance>
      <h2>{words.say("load.nuisance")}</h2>
      <dl class="facts">
        <div class={figures.chattering > 0 ? "wrong" : ""} title={words.say("load.chatteringHint")}>
          <dt>{words.say("load.chattering")}</dt>
          <dd>{figures.chattering}</dd>
          <Target judgement={aimOf(judgements, "chattering")} />
        </div>
        <div title={words.say("load.fleetingHint")}>
          <dt>{words.say("load.fleeting")}</dt>
          <dd>{figures.fleeting}</dd>
        </div>
        <div class={figures.stale.length > 0 ? "wrong" : ""} title={words.say("load.staleHint")}>
          <dt>{words.say("load.stale")}</dt>
          <dd>{figures.stale.length}</dd>
          <Target judgement={aimOf(judgements, "stale_on_worst_day")} />
        </div>
        <div title={words.say("load.realarmsHint")}>
          <dt>{words.say("load.realarms")}</dt>
          <dd>{figures.realarms}</dd>
        </div>
      </dl>
      {figures.stale.length > 0 && (
        <ul class="listed">
          {figures.stale.map((one) => (
            <li key={one.alarm_id}>
              <AlarmName alarmId={one.alarm_id} />
              <time>{words.say("alarm.age", { age: age(words, now - Date.parse(one.active_since)) })}</time>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

function Answers({ figures }: { figures: Figures }) {
  const words = useWords();
  const { answers } = figures;
  const told = (duration: string): string => age(words, milliseconds(duration));
  return (
    <section class="block" data-answers>
      <h2>{words.say("load.answers")}</h2>
      {!answers && <p class="hint">{words.say("load.noAnswers")}</p>}
      <dl class="facts">
        {answers && (
          <>
            <div>
              <dt>{words.say("load.median")}</dt>
              <dd>{told(answers.median)}</dd>
            </div>
            <div>
              <dt>{words.say("load.ninety")}</dt>
              <dd>{told(answers.ninety)}</dd>
            </div>
            <div>
              <dt>{words.say("load.longest")}</dt>
              <dd>{told(answers.longest)}</dd>
            </div>
            <div>
              <dt>{words.say("load.answered")}</dt>
              <dd>{answers.count}</dd>
            </div>
          </>
        )}
        <div class={figures.unacknowledged.now > 0 ? "wrong" : ""}>
          <dt>{words.say("load.unanswered")}</dt>
          <dd>{figures.unacknowledged.now}</dd>
        </div>
      </dl>
      <p class="hint">{words.say("load.answersHint", { age: told(figures.maximum_un_ack) })}</p>
    </section>
  );
}

/** Alarms that reached people or actuators too late, with the stage that took longest. */
function Late({ deadlines, failed }: { deadlines: Deadlines | null; failed: boolean }) {
  const words = useWords();
  return (
    <section class="block" data-late>
      <header>
        <h2>{words.say("load.lateTitle")}</h2>
        {deadlines && (
          <span class="resting">{words.say("load.ofAlarms", { late: deadlines.late, all: deadlines.alarms })}</span>
        )}
      </header>
      {!deadlines && <p class="hint">{words.say(failed ? "log.failed" : "room.asking")}</p>}
      {deadlines?.late === 0 &&
        (deadlines.alarms > 0 ? (
          <p class="fine">{words.say("load.noneLate")}</p>
        ) : (
          <p class="hint">{words.say("load.noAlarms")}</p>
        ))}
      <ul class="listed late-list">
        {deadlines?.measured.slice(0, LATE_LISTED).map((one, place) => <LateRow key={place} late={one} />)}
      </ul>
      <p class="hint">{words.say("load.lateHint")}</p>
    </section>
  );
}

function LateRow({ late }: { late: LateAlarm }) {
  const words = useWords();
  const { moment } = useDesk();
  const now = useNow();
  const missed = late.deadlines.filter(({ verdict }) => verdict === "late");
  const source = late.steps.find(({ stage }) => stage === "source")?.reached_time ?? null;
  return (
    <li data-late-alarm={late.alarm_id}>
      <AlarmName alarmId={late.alarm_id} />
      <span class="slow">
        {late.slow_stage && words.say("load.slow", { stage: words.say(`milestone.${late.slow_stage}`) })}{" "}
        {missed.map(({ limit, due_time, reached_time }) => (
          <span key={`${limit.since} ${limit.stage}`} title={limit.clause}>
            {words.say("load.over", {
              stage: words.say(`milestone.${limit.stage}`),
              age: age(words, (reached_time ? Date.parse(reached_time) : now) - Date.parse(due_time)),
            })}
            {reached_time === null && ` (${words.say("load.notYet")})`}
          </span>
        ))}
      </span>
      {source && <time>{moment(source)}</time>}
    </li>
  );
}
