// What the API says of the work that alarms make, and of alarms that were late.

import { get, type LocalText, type Measured as Way, type AlarmClass, type Priority } from "./api";

/** How often people were told: with a sound, and in an incident that called for them already. */
export interface Tally {
  of_their_own: number;
  grouped: number;
}

/** How many there are now, and how many there were at the most. */
export interface Level {
  now: number;
  most: number;
}

export interface BadActor {
  rule: string;
  subject: string;
  tally: Tally;
  share: number;
  chattering: boolean;
}

export interface StaleAlarm {
  alarm_id: string;
  rule: string;
  subject: string;
  active_since: string;
}

/** The last 24 h of a seat; durations are texts such as "PT90S". */
export interface Figures {
  start_time: string;
  end_time: string;
  alarm_count: Tally;
  current_alarm_rate: Tally;
  last_hour: Tally;
  average_alarm_rate: number;
  maximum_alarm_rate: number;
  in_flood: boolean;
  floods: number;
  flood_time: string;
  active: Level;
  unacknowledged: Level;
  shelved: Level;
  suppressed: Level;
  out_of_service: Level;
  maximum_un_ack: string;
  realarms: number;
  stale: StaleAlarm[];
  stale_on_worst_day: number;
  chattering: number;
  fleeting: number;
  priorities: Record<Priority, number>;
  answers: { count: number; median: string; ninety: string; ninety_nine: string; longest: string } | null;
  bad_actors: BadActor[];
  bad_actors_share: number;
}

/** What was told in the 10 min from `start_time` on. */
export interface IntervalLoad {
  start_time: string;
  tally: Tally;
}

export type Aim =
  | "alarms_an_hour"
  | "alarms_an_hour_at_most"
  | "most_in_10_minutes"
  | "crowded_intervals_percent"
  | "flooded_percent"
  | "bad_actors_percent"
  | "chattering"
  | "stale_on_worst_day"
  | "highest_priority_percent"
  | "high_priority_percent"
  | "medium_priority_percent"
  | "standing_at_most"
  | "shelved_at_most";

/** What a standard wants of a figure, and whether it is so. */
export interface Judgement {
  aim: Aim;
  value: number;
  limit: number;
  is_below: boolean;
  is_met: boolean;
  source: string;
}

export interface Workload {
  seat: string;
  label: LocalText;
  /** Null for a moment after a start. */
  figures: Figures | null;
  intervals: IntervalLoad[];
  judgements: Judgement[];
}

/** An alarm that was late, with the stage that took longest. */
export interface LateAlarm extends Way {
  alarm_id: string;
  rule: string;
  subject: string;
  alarm_class: AlarmClass;
}

export interface Deadlines {
  start: string;
  end: string;
  alarms: number;
  late: number;
  not_yet: number;
  measured: LateAlarm[];
}

export const workload = (seat: string): Promise<Workload> => get(`workload?${new URLSearchParams({ seat })}`);

/** Those of the time from `start` (milliseconds) to the present, 24 h at the most. */
export const lateAlarms = (start: number): Promise<Deadlines> =>
  get(`deadlines?${new URLSearchParams({ start: new Date(start).toISOString() })}`);
