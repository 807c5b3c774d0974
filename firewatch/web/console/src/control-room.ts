// What the API says of seats, their log, handovers and duty checks, and how a screen asks for it.

import {
  get,
  post,
  type Alarm,
  type CommandRecord,
  type DeviceView,
  type DutyCheck,
  type LocalText,
  type PartStatus,
} from "./api";

export const ENTRY_KINDS = [
  "note",
  "handover",
  "duty_check",
  "drill",
  "out_of_service",
  "rules",
  "notification",
  "start",
  "stop",
] as const;
export type EntryKind = (typeof ENTRY_KINDS)[number];

/** One entry of the log; it is never changed, and one that `corrects` another says which. */
export interface LogEntry {
  entry_id: string;
  entry_time: string;
  /** Empty: it concerns every seat. */
  seat: string;
  author: string;
  kind: EntryKind;
  text: LocalText;
  alarm_id: string | null;
  incident: string | null;
  corrects: string | null;
}

/** A turn of duty that goes on. */
export interface Turn {
  shift: { name: LocalText };
  start_time: string;
  end_time: string;
}

export const ALARM_LISTS = [
  "unacknowledged",
  "acknowledged",
  "latched",
  "shelved",
  "out_of_service",
  "suppressed",
] as const;
export type AlarmListName = (typeof ALARM_LISTS)[number];

/** How things stand at a seat; without the history it is not `complete`, and the alarms are those of now all the same. */
export interface Handover extends Readonly<Record<AlarmListName, Alarm[]>> {
  seat: { id: string; label: LocalText; time_zone: string };
  turn: Turn | null;
  since: string;
  parts: PartStatus[];
  cameras: DeviceView[];
  commands: CommandRecord[];
  complete: boolean;
}

/** How duty checks ended, and how long it took to answer them. */
export interface DutyFigures {
  answered: number;
  missed: number;
  replaced: number;
  median_answer_seconds: number | null;
  longest_answer_seconds: number | null;
}

/** Which entries: times in milliseconds, one kind or all. */
export interface LogFilter {
  seat: string;
  start: number;
  /** Null: the present. */
  end: number | null;
  kind: EntryKind | null;
}

function asked({ seat, start, end, kind }: LogFilter): URLSearchParams {
  const parameters = new URLSearchParams({ seat, start: new Date(start).toISOString() });
  if (end !== null) parameters.set("end", new Date(end).toISOString());
  if (kind !== null) parameters.set("kind", kind);
  return parameters;
}

export const log = (filter: LogFilter, limit: number): Promise<LogEntry[]> =>
  get<{ entries: LogEntry[] }>(`log?${asked(filter)}&limit=${limit}`).then(({ entries }) => entries);

/** Where the same is found as a table, with more entries than a screen shows. */
export const logTable = (filter: LogFilter): string => `/api/v1/log.csv?${asked(filter)}&limit=20000`;

export interface Note {
  seat: string;
  text: string;
  alarm_id?: string;
  corrects?: string;
}

export const writeNote = (operator: string, note: Note): Promise<LogEntry> => post("log", { operator, ...note });

export const handover = (seat: string): Promise<Handover> => get(`handover?${new URLSearchParams({ seat })}`);

export const handOver = (seat: string, from: string, to: string, remarks: string): Promise<LogEntry> =>
  post("handover", { seat, from, to, remarks });

export const handoverPage = (seat: string, lang: string): string => `/handover?${new URLSearchParams({ seat, lang })}`;

export const dutyChecks = (seat: string, limit: number): Promise<{ duty_checks: DutyCheck[]; figures: DutyFigures }> =>
  get(`duty-checks?${new URLSearchParams({ seat, limit: String(limit) })}`);
