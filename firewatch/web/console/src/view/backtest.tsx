// What the rules on disk would have said about the past, and how that differs from what was said.

import { useState } from "preact/hooks";

import {
  backtest,
  backtests,
  cancelBacktest,
  Refusal,
  startBacktest,
  type Against,
  type BacktestResult,
  type BacktestState,
} from "../api";
import { calendarDate, clockTime, value } from "../format";
import { useScreen } from "../screen";
import { useWords, type Key } from "../text";
import { LoadPlot } from "./load-plot";
import { useAsked } from "./use-asked";

const DAY_MS = 86_400_000;
const ASKED_EVERY_MS = 1_000;
const DIFFERENCES_SHOWN = 100;

const PERIODS: readonly (readonly [Key, number])[] = [
  ["backtest.1d", 1],
  ["backtest.7d", 7],
  ["backtest.30d", 30],
  ["backtest.90d", 90],
];
const AGAINST: readonly Against[] = ["recorded", "live"];

export function Backtest() {
  const words = useWords();
  const { now, live, operator, nameOperator } = useScreen();
  const [days, setDays] = useState(7);
  const [against, setAgainst] = useState<Against>("recorded");
  const [refused, setRefused] = useState<Key | null>(null);
  const { answer, again } = useAsked(newest, "backtest", ASKED_EVERY_MS);
  const running = answer?.phase === "running";

  const start = async (name: string): Promise<void> => {
    setRefused(null);
    try {
      await startBacktest(name, new Date(now - days * DAY_MS).toISOString(), against);
    } catch (error) {
      setRefused(error instanceof Refusal && error.status === 409 ? "backtest.busy" : "backtest.notStarted");
    }
    again();
  };

  return (
    <>
      <section class="block">
        <h2>{words.say("backtest.title")}</h2>
        <p class="hint">{words.say("backtest.hint")}</p>
        <form
          class="ask"
          onSubmit={(event) => {
            event.preventDefault();
            if (operator) void start(operator);
            else nameOperator((name) => void start(name));
          }}
        >
          <label>
            {words.say("backtest.period")}
            <select value={days} onChange={(event) => setDays(Number(event.currentTarget.value))}>
              {PERIODS.map(([key, length]) => (
                <option key={key} value={length}>
                  {words.say(key)}
                </option>
              ))}
            </select>
          </label>
          <label>
            {words.say("backtest.against")}
            <select value={against} onChange={(event) => setAgainst(event.currentTarget.value as Against)}>
              {AGAINST.map((one) => (
                <option key={one} value={one}>
                  {words.say(`against.${one}`)}
                </option>
              ))}
            </select>
          </label>
          <button type="submit" class="main" disabled={!live || running}>
            {words.say("backtest.start")}
          </button>
        </form>
        {refused && (
          <p class="trouble-text" role="alert">
            {words.say(refused)}
          </p>
        )}
        {answer && running && <Progress state={answer} operator={operator ?? "console"} again={again} />}
        {answer?.phase === "failed" && (
          <p class="trouble-text" role="alert">
            {words.say("backtest.failed")} <span class="technical">{answer.error}</span>
          </p>
        )}
        {answer?.phase === "cancelled" && <p class="hint">{words.say("backtest.cancelled")}</p>}
      </section>
      {answer?.result && <Result result={answer.result} against={answer.wish.against} />}
    </>
  );
}

/** The newest backtest with its result; a result does not change any more, and is fetched once. */
let known: BacktestState | null = null;

async function newest(): Promise<BacktestState | null> {
  const [first] = await backtests();
  if (!first) return null;
  if (known?.backtest_id !== first.backtest_id || known.phase !== first.phase) {
    known = first.phase === "done" ? await backtest(first.backtest_id) : first;
  }
  return first.phase === "done" ? known : first;
}

function Progress({ state, operator, again }: { state: BacktestState; operator: string; again(): void }) {
  const words = useWords();
  const percent = Math.floor(state.progress * 100);
  return (
    <p class="progress">
      <progress max={100} value={percent} aria-label={words.say("backtest.progress", { n: percent })} />
      <b>{percent} %</b>
      <button
        type="button"
        class="plain"
        onClick={() => void cancelBacktest(operator, state.backtest_id).then(again, again)}
      >
        {words.say("common.cancel")}
      </button>
    </p>
  );
}

function Result({ result, against }: { result: BacktestResult; against: Against }) {
  const words = useWords();
  const { facts } = useScreen();
  const zone = facts.timeZone();
  const moment = (instant: string): string =>
    `${calendarDate(Date.parse(instant), zone, words.lang)} ${clockTime(instant, zone)}`;
  const lost = result.realities.filter((one) => one.alarmed_before && !one.alarmed_after);
  return (
    <section class="block" data-backtest>
      <p class="verdict">{words.of(result.summary)}</p>
      <p class="hint">
        {words.say("backtest.played", {
          start: moment(result.start),
          end: moment(result.end),
          n: result.observations.toLocaleString("en"),
        })}
      </p>
      {lost.length > 0 && (
        <ul class="trouble-text" role="alert">
          {lost.map(({ reality }) => (
            <li key={`${reality.time} ${reality.subject}`}>
              {words.say("backtest.lost", { time: moment(reality.time), subject: reality.subject })}
            </li>
          ))}
        </ul>
      )}
      <LoadPlot result={result} against={against} />
      {result.counts.length === 0 ? (
        <p>{words.say("backtest.noAlarms")}</p>
      ) : (
        <table class="numbers">
          <thead>
            <tr>
              <th>{words.say("alarm.rule")}</th>
              <th>{words.say(`against.${against}`)}</th>
              <th>{words.say("backtest.after")}</th>
              <th>{words.say("backtest.added")}</th>
              <th>{words.say("backtest.removed")}</th>
              <th>{words.say("backtest.moved")}</th>
            </tr>
          </thead>
          <tbody>
            {result.counts.map((count) => (
              <tr key={count.rule} data-rule={count.rule}>
                <td>
                  <code>{count.rule}</code>
                </td>
                <td>{count.before}</td>
                <td>{count.after}</td>
                <td class={count.added > 0 ? "added" : "resting"}>{count.added > 0 ? `+${count.added}` : "0"}</td>
                <td class={count.removed > 0 ? "removed" : "resting"}>
                  {count.removed > 0 ? `−${count.removed}` : "0"}
                </td>
                <td class={count.moved > 0 ? "" : "resting"}>{count.moved}</td>
              </tr>
            ))}
          </tbody>
          <tfoot>
            <tr>
              <th>{words.say("backtest.total")}</th>
              <td>{result.before}</td>
              <td>{result.after}</td>
              <td>{sum(result.counts.map((count) => count.added))}</td>
              <td>{sum(result.counts.map((count) => count.removed))}</td>
              <td>{sum(result.counts.map((count) => count.moved))}</td>
            </tr>
          </tfoot>
        </table>
      )}
      {result.failures.length > 0 && (
        <p class="trouble-text">
          {words.say("backtest.ruleFailed", { n: result.failures.length })}{" "}
          <code>{[...new Set(result.failures.map((failure) => failure.rule))].join(", ")}</code>
        </p>
      )}
      {result.differences.length > 0 && (
        <details>
          <summary>{words.say("backtest.differences", { n: result.differences.length })}</summary>
          <table class="numbers">
            <tbody>
              {result.differences.slice(0, DIFFERENCES_SHOWN).map(({ fate, before, after }, index) => {
                const told = after ?? before;
                return (
                  told && (
                    <tr key={index}>
                      <td class={fate}>{words.say(`backtest.${fate}`)}</td>
                      <td>{moment(told.told_time)}</td>
                      <td>
                        <code>{told.rule}</code>
                      </td>
                      <td>
                        <code>{told.subject}</code>
                      </td>
                      <td>{told.value === undefined ? "" : value(words, told.value, told.unit ?? "")}</td>
                    </tr>
                  )
                );
              })}
            </tbody>
          </table>
        </details>
      )}
    </section>
  );
}

const sum = (numbers: number[]): number => numbers.reduce((total, number) => total + number, 0);
