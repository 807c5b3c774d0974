// Alarms over time, as they were and as they would have been: bars side by side, and the same numbers as a table.

import type { Against, BacktestResult } from "../api";
import { clockTime, shortDate } from "../format";
import { useScreen } from "../screen";
import { useWords } from "../text";

const HOUR_MS = 3_600_000;
/** How long one pair of bars may stand for; the shortest that leaves few enough to tell apart is taken. */
const SPANS_MS = [1, 2, 6, 12, 24, 48, 168].map((hours) => hours * HOUR_MS);
const MOST_BARS = 48;

const WIDTH = 720;
const HEIGHT = 220;
const LEFT = 40;
const BOTTOM = 26;
const TOP = 8;
const LABELS = 7;
/** Up to this length, an instant is told by its time of day and not by its date. */
const TIMED_MS = 48 * HOUR_MS;

interface Bar {
  time: number;
  before: number;
  after: number;
}

export function bars({ start, end, loads }: Pick<BacktestResult, "start" | "end" | "loads">): { span: number; bars: Bar[] } {
  const first = Math.floor(Date.parse(start) / HOUR_MS) * HOUR_MS;
  const length = Math.max(Date.parse(end) - first, HOUR_MS);
  const span = SPANS_MS.find((one) => length / one <= MOST_BARS) ?? Math.ceil(length / MOST_BARS / HOUR_MS) * HOUR_MS;
  const found = Array.from({ length: Math.ceil(length / span) }, (_, place) => ({
    time: first + place * span,
    before: 0,
    after: 0,
  }));
  for (const { time, before, after } of loads) {
    const bar = found[Math.floor((Date.parse(time) - first) / span)];
    if (bar) {
      bar.before += before;
      bar.after += after;
    }
  }
  return { span, bars: found };
}

/** A round number no smaller than the highest bar, in steps that are whole alarms. */
function scale(highest: number): number[] {
  const steps = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000];
  const step = steps.find((one) => highest / one <= 4) ?? Math.ceil(highest / 4);
  return Array.from({ length: Math.max(Math.ceil(highest / step), 1) + 1 }, (_, place) => place * step);
}

export function LoadPlot({ result, against }: { result: BacktestResult; against: Against }) {
  const words = useWords();
  const { facts } = useScreen();
  const zone = facts.timeZone();
  const { span, bars: shown } = bars(result);
  const counts = scale(Math.max(...shown.flatMap(({ before, after }) => [before, after])));
  const top = counts.at(-1) ?? 1;
  const height = HEIGHT - TOP - BOTTOM;
  const y = (count: number): number => TOP + height * (1 - count / top);
  const slot = (WIDTH - LEFT) / shown.length;
  const wide = Math.min(slot * 0.38, 22);
  const every = Math.max(Math.ceil(shown.length / LABELS), 1);
  const label = (time: number): string =>
    span < 24 * HOUR_MS
      ? `${shortDate(time, zone, words.lang)} ${clockTime(time, zone).slice(0, 5)}`
      : shortDate(time, zone, words.lang);
  const short = Date.parse(result.end) - Date.parse(result.start) <= TIMED_MS;
  const tick = (time: number): string => (short ? clockTime(time, zone).slice(0, 5) : shortDate(time, zone, words.lang));
  const each = words.say("plot.each", { n: span / HOUR_MS });
  return (
    <figure class="plot">
      <figcaption>
        <span>{each}</span>
        <span class="key before">{words.say(`against.${against}`)}</span>
        <span class="key after">{words.say("backtest.after")}</span>
      </figcaption>
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label={`${each}: ${words.of(result.summary)}`}>
        {counts.map((count) => (
          <g key={count}>
            <line class="grid" x1={LEFT} x2={WIDTH} y1={y(count)} y2={y(count)} />
            <text x={LEFT - 8} y={y(count) + 4} text-anchor="end">
              {count}
            </text>
          </g>
        ))}
        {shown.map((bar, place) => {
          const middle = LEFT + slot * (place + 0.5);
          return (
            <g key={bar.time}>
              <title>
                {words.say("plot.bar", { time: label(bar.time), before: bar.before, after: bar.after })}
              </title>
              <rect class="hit" x={middle - slot / 2} width={slot} y={TOP} height={height} />
              <rect class="before" x={middle - wide} width={wide} y={y(bar.before)} height={y(0) - y(bar.before)} />
              <rect class="after" x={middle} width={wide} y={y(bar.after)} height={y(0) - y(bar.after)} />
              {place % every === 0 && (
                <text x={middle} y={HEIGHT - 8} text-anchor="middle">
                  {tick(bar.time)}
                </text>
              )}
            </g>
          );
        })}
      </svg>
      <details>
        <summary>{words.say("plot.table")}</summary>
        <table class="numbers">
          <thead>
            <tr>
              <th>{words.say("status.time")}</th>
              <th>{words.say(`against.${against}`)}</th>
              <th>{words.say("backtest.after")}</th>
            </tr>
          </thead>
          <tbody>
            {shown
              .filter(({ before, after }) => before + after > 0)
              .map(({ time, before, after }) => (
                <tr key={time}>
                  <td>{label(time)}</td>
                  <td>{before}</td>
                  <td>{after}</td>
                </tr>
              ))}
          </tbody>
        </table>
      </details>
    </figure>
  );
}
