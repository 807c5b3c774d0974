// How many alarms came when, against what a person can deal with: bars over the bands of ISA-18.2.

import { clockTime, shortDate } from "../format";
import { useScreen } from "../screen";
import { useWords } from "../text";
import type { IntervalLoad } from "../workload";

const MINUTE_MS = 60_000;
const WIDTH = 760;
const LEFT = 34;
const RIGHT = 96;
const BOTTOM = 20;
const TOP = 6;
const NAMED_EVERY_HOURS = 3;
const TICKS = [0, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 50_000, 100_000];

/** Up to so many a person can deal with; `flood` where ISA-18.2 knows one for this span. */
export interface Bands {
  acceptable: number;
  manageable: number;
  flood: number | null;
}

/** ISA-18.2-2016, 16.4, by 10 min and by the hour. */
export const BY_10_MINUTES: Bands = { acceptable: 1, manageable: 2, flood: 10 };
export const BY_HOUR: Bands = { acceptable: 6, manageable: 12, flood: null };

export type Burden = "acceptable" | "manageable" | "demanding" | "flood";

export function burden(count: number, { acceptable, manageable, flood }: Bands): Burden {
  if (flood !== null && count > flood) return "flood";
  if (count > manageable) return "demanding";
  return count > acceptable ? "manageable" : "acceptable";
}

export interface Bar {
  time: number;
  sounded: number;
  grouped: number;
}

/** One bar for each `spanMs` from `start` on, quiet ones too. */
export function bars(intervals: readonly IntervalLoad[], start: number, end: number, spanMs: number): Bar[] {
  const first = Math.floor(start / spanMs) * spanMs;
  const found = Array.from({ length: Math.max(Math.ceil((end - first) / spanMs), 1) }, (_, place) => ({
    time: first + place * spanMs,
    sounded: 0,
    grouped: 0,
  }));
  for (const { start_time, tally } of intervals) {
    const bar = found[Math.floor((Date.parse(start_time) - first) / spanMs)];
    if (bar) {
      bar.sounded += tally.of_their_own;
      bar.grouped += tally.grouped;
    }
  }
  return found;
}

interface Props {
  title: string;
  shown: readonly Bar[];
  spanMs: number;
  bands: Bands;
  height: number;
}

/** By square roots, so that one alarm and five hundred can be seen in the same picture. */
export function RatePlot({ title, shown, spanMs, bands, height: all }: Props) {
  const words = useWords();
  const { facts } = useScreen();
  const zone = facts.timeZone();
  const highest = Math.max(...shown.map(({ sounded }) => sounded), (bands.flood ?? bands.manageable) * 1.6);
  const height = all - TOP - BOTTOM;
  const y = (count: number): number => TOP + height * (1 - Math.sqrt(count / highest));
  const slot = (WIDTH - LEFT - RIGHT) / shown.length;
  const edges: readonly (readonly [Burden, number, number])[] = [
    ["acceptable", 0, bands.acceptable],
    ["manageable", bands.acceptable, bands.manageable],
    ["demanding", bands.manageable, bands.flood ?? highest],
    ...(bands.flood === null ? [] : [["flood", bands.flood, highest] as const]),
  ];
  const ticks = TICKS.filter((tick) => tick <= highest);
  const shownTicks = ticks.filter(
    (tick, place) => place === 0 || place === ticks.length - 1 || y(tick) - y(ticks[place + 1]!) > 11,
  );
  const label = (time: number): string => clockTime(time, zone).slice(0, 5);
  const isNamed = (time: number): boolean =>
    label(time).endsWith(":00") && Number(label(time).slice(0, 2)) % NAMED_EVERY_HOURS === 0;
  const total = shown.reduce((sum, { sounded }) => sum + sounded, 0);
  return (
    <figure class="plot rate">
      <figcaption>
        <span>{title}</span>
      </figcaption>
      <svg viewBox={`0 0 ${WIDTH} ${all}`} role="img" aria-label={words.say("rate.aria", { title, total })}>
        {edges.map(([name, low, high]) => (
          <g key={name} class={`band ${name}`}>
            <rect x={LEFT} width={WIDTH - LEFT - RIGHT} y={y(high)} height={y(low) - y(high)} />
            {y(low) - y(high) > 11 && (
              <text x={WIDTH - RIGHT + 8} y={(y(low) + y(high)) / 2 + 4}>
                {words.say(`burden.${name}`)}
              </text>
            )}
          </g>
        ))}
        {shownTicks.map((tick) => (
          <g key={tick}>
            <line class="grid" x1={LEFT} x2={WIDTH - RIGHT} y1={y(tick)} y2={y(tick)} />
            <text x={LEFT - 7} y={y(tick) + 4} text-anchor="end">
              {tick}
            </text>
          </g>
        ))}
        {shown.map((bar, place) => {
          const x = LEFT + slot * place;
          return (
            <g key={bar.time}>
              <title>
                {words.say("rate.bar", {
                  time: `${shortDate(bar.time, zone, words.lang)} ${label(bar.time)}–${label(bar.time + spanMs)}`,
                  n: bar.sounded,
                  grouped: bar.grouped,
                })}
              </title>
              <rect class="hit" x={x} width={slot} y={TOP} height={height} />
              {bar.sounded > 0 && (
                <rect
                  class={`bar ${burden(bar.sounded, bands)}`}
                  x={x + slot * 0.14}
                  width={slot * 0.72}
                  y={y(bar.sounded)}
                  height={y(0) - y(bar.sounded)}
                />
              )}
              {isNamed(bar.time) && (
                <text x={x + slot / 2} y={all - 5} text-anchor="middle">
                  {label(bar.time)}
                </text>
              )}
            </g>
          );
        })}
      </svg>
    </figure>
  );
}

export const TEN_MINUTES_MS = 10 * MINUTE_MS;
export const HOUR_MS = 60 * MINUTE_MS;
