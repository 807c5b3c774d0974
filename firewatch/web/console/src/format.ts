// Times, ages and readings as people read them.

import type { Lang, Reading, SignalView } from "./api";
import type { Words } from "./text";

const LOCALES: Readonly<Record<Lang, string>> = { zh: "zh-CN", en: "en-GB" };
const SECOND = 1_000;

const TIME = { hour: "2-digit", minute: "2-digit", second: "2-digit" } as const;
const DATE = { year: "numeric", month: "short", day: "numeric", weekday: "short" } as const;
const SHORT_DATE = { day: "numeric", month: "short" } as const;

/** Making a formatter takes a thousand times as long as using it. */
const formatters = new Map<string, Intl.DateTimeFormat>();

function formatter(locale: string, timeZone: string, parts: typeof TIME | typeof DATE | typeof SHORT_DATE): Intl.DateTimeFormat {
  const key = `${locale} ${timeZone} ${Object.keys(parts)[0]}`;
  let found = formatters.get(key);
  if (!found) {
    found = new Intl.DateTimeFormat(locale, { timeZone, ...parts });
    formatters.set(key, found);
  }
  return found;
}

export function clockTime(instant: string | number, timeZone: string): string {
  return formatter("en-GB", timeZone, TIME).format(new Date(instant));
}

export function calendarDate(instant: number, timeZone: string, lang: Lang): string {
  return formatter(LOCALES[lang], timeZone, DATE).format(instant);
}

export function shortDate(instant: number, timeZone: string, lang: Lang): string {
  return formatter(LOCALES[lang], timeZone, SHORT_DATE).format(instant);
}

/** The time, and the day where it is not `now`'s. */
export function momentTime(instant: string | number, now: number, timeZone: string, lang: Lang): string {
  const date = new Date(instant);
  const day = shortDate(date.getTime(), timeZone, lang);
  const time = clockTime(instant, timeZone);
  return day === shortDate(now, timeZone, lang) ? time : `${day} ${time}`;
}

/** The calendar day at a place, as a date field has it: 2026-01-31. */
export function isoDay(instant: number, timeZone: string): string {
  return new Intl.DateTimeFormat("sv-SE", { timeZone }).format(instant);
}

/** When such a day begins there. */
export function dayStart(day: string, timeZone: string): number {
  const midnight = Date.parse(`${day}T00:00:00Z`);
  const wall = `${isoDay(midnight, timeZone)}T${clockTime(midnight, timeZone)}Z`;
  return midnight - (Date.parse(wall) - midnight);
}

export function age(words: Words, milliseconds: number): string {
  const seconds = Math.max(0, Math.floor(milliseconds / SECOND));
  if (seconds < 120) return words.say("age.seconds", { n: seconds });
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return words.say("age.minutes", { n: minutes });
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return words.say("age.hours", { n: hours, m: minutes % 60 });
  return words.say("age.days", { n: Math.floor(hours / 24), m: hours % 24 });
}

/** Units travel as plain letters; a reader expects the sign. */
const UNIT_SIGNS: Readonly<Record<string, string>> = { degC: "°C", "mg/m3": "mg/m³", m3: "m³" };

export const unitSign = (unit: string): string => UNIT_SIGNS[unit] ?? unit;

export function value(words: Words, raw: Reading["value"], unit: string): string {
  if (raw === null) return words.say("value.unknown");
  if (typeof raw !== "number") return words.word("value", String(raw));
  const digits = Number.isInteger(raw) ? 0 : Math.abs(raw) < 10 ? 2 : 1;
  return `${raw.toFixed(digits)} ${unitSign(unit)}`.trim();
}

export function reading(words: Words, signal: SignalView, last: Reading | undefined): string {
  return last && last.quality !== "bad" ? value(words, last.value, signal.unit) : words.say("value.unknown");
}

/** What is left until something, as on a clock: 4:07. */
export function remaining(milliseconds: number): string {
  const seconds = Math.max(0, Math.ceil(milliseconds / SECOND));
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

/** How long something took, from one instant to another. */
export function elapsed(words: Words, start: string, end: string): string {
  const milliseconds = Math.round(Date.parse(end) - Date.parse(start));
  if (milliseconds < SECOND) return words.say("elapsed.milliseconds", { n: milliseconds });
  if (milliseconds < 60 * SECOND) return words.say("elapsed.seconds", { n: (milliseconds / SECOND).toFixed(1) });
  return age(words, milliseconds);
}

const DURATION = /^(-?)P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?$/;

/** A duration as it travels, in milliseconds. */
export function milliseconds(duration: string): number {
  const [, sign = "", days = 0, hours = 0, minutes = 0, seconds = 0] = DURATION.exec(duration) ?? [];
  const all = ((Number(days) * 24 + Number(hours)) * 60 + Number(minutes)) * 60 + Number(seconds);
  return (sign === "-" ? -1_000 : 1_000) * all;
}
