// The documents of the API as docs/api.md describes them, and the few requests the console makes.

export type Lang = "zh" | "en";
export type LocalText = Record<Lang, string>;
export type Value = number | boolean | string;

export const ALARM_CLASSES = ["fire", "supervisory", "security", "trouble"] as const;
export type AlarmClass = (typeof ALARM_CLASSES)[number];
export const PRIORITIES = ["highest", "high", "medium", "low"] as const;
export type Priority = (typeof PRIORITIES)[number];
export type AlarmState =
  | "normal"
  | "unacknowledged"
  | "acknowledged"
  | "rtn_unacknowledged"
  | "latched_unacknowledged"
  | "latched_acknowledged";

/** Who hid an alarm, since when, and why. */
export interface Hiding {
  by: string;
  since_time: string;
  reason: string;
}

export interface Shelf extends Hiding {
  until_time: string;
  one_shot: boolean;
}

export interface AlarmClock {
  source_time: string;
  receive_time: string;
  decided_time: string;
  annunciated_time: string | null;
  journalled_time: string | null;
}

export interface Alarm {
  alarm_id: string;
  rule: string;
  site: string;
  subject: string;
  building: string;
  system: string;
  priority: Priority;
  alarm_class: AlarmClass;
  state: AlarmState;
  condition: "active" | "inactive" | "unknown";
  text: LocalText;
  advice: LocalText;
  place: LocalText;
  onset_time: string;
  clock: AlarmClock;
  activations: number;
  value: Value | null;
  unit: string;
  picture: string | null;
  cleared_time: string | null;
  acknowledged_time: string | null;
  acknowledged_by: string | null;
  acknowledge_comment: string;
  hidden: boolean;
  shelf: Shelf | null;
  suppressed_by: string | null;
  out_of_service: Hiding | null;
}

export interface AlarmTransition {
  alarm_id: string;
  number: number;
  transition_time: string;
  reason: string;
  previous_state: AlarmState;
  alarm: Alarm;
  by: string;
  comment: string;
}

export interface Reading {
  value: Value | null;
  quality: "good" | "uncertain" | "bad";
  source_time: string;
  receive_time: string;
}

export interface Observation extends Reading {
  signal: string;
}

export interface SignalView {
  signal: string;
  name: string;
  label: LocalText;
  type: "number" | "boolean" | "state";
  unit: string;
  supervisory: boolean;
  last: Reading | null;
}

export interface DeviceView {
  site: string;
  device: string;
  kind: string;
  kind_label: LocalText;
  label: LocalText;
  system: string;
  building: string;
  asset: string | null;
  tags: string[];
  camera: boolean;
  actions: string[];
  online: boolean | null;
  signals: SignalView[];
}

export interface Labelled {
  id: string;
  label: LocalText;
}

export interface SiteView extends Labelled {
  district: LocalText;
  street: LocalText;
  community: LocalText;
  time_zone: string;
  buildings: Labelled[];
  assets: Labelled[];
}

export interface CommandRecord {
  command: {
    command_id: string;
    device: string;
    action: string;
    parameters: Record<string, Value>;
    cause: string;
    rule: string;
    issued_time: string;
  };
  answer: {
    state: "accepted" | "done" | "failed";
    detail: string;
    source_time: string;
    receive_time: string;
  } | null;
}

export interface PartStatus {
  name: string;
  ready: boolean;
  detail: string;
}

export interface Rejection {
  receive_time: string;
  source: string;
  reason: string;
  detail: string;
  payload: string;
}

export interface Snapshot {
  type: "snapshot";
  now: string;
  sites: SiteView[];
  devices: DeviceView[];
  alarms: Alarm[];
  commands: CommandRecord[];
  parts: PartStatus[];
  rejections: Rejection[];
  rejection_counts: Record<string, number>;
}

export type FeedMessage =
  | Snapshot
  | { type: "resynchronise"; missed: number }
  | { type: "heartbeat"; now: string; parts: PartStatus[]; rejection_counts: Record<string, number> }
  | { type: "alarm"; alarm: Alarm }
  | { type: "observation"; observations: Observation[] }
  | { type: "command"; command: CommandRecord }
  | { type: "rejection"; rejection: Rejection };

/** The server did not do it. Its own words for why are English, so a screen says it in the reader's. */
export class Refusal extends Error {
  constructor(readonly status: number) {
    super(`status ${status}`);
  }
}

async function answer<T>(response: Response): Promise<T> {
  if (!response.ok) throw new Refusal(response.status);
  return (await response.json()) as T;
}

export async function oneAlarm(alarmId: string): Promise<Alarm> {
  return answer<Alarm>(await fetch(`/api/v1/alarms/${alarmId}`));
}

/** What an operator may ask of an alarm. */
export type Request =
  | { verb: "acknowledge" | "reset" | "unshelve" }
  | { verb: "shelve"; reason: string; seconds: number | null }
  | { verb: "out-of-service" | "return-to-service"; reason: string };

export async function ask({ alarm_id, rule, subject }: Alarm, operator: string, request: Request): Promise<void> {
  const { verb, ...details } = request;
  const [path, body] =
    request.verb === "out-of-service"
      ? [verb, { rule, subject, ...details }]
      : request.verb === "shelve"
        ? [`alarms/${alarm_id}/${verb}`, request.seconds === null ? { reason: request.reason, one_shot: true } : details]
        : [`alarms/${alarm_id}/${verb}`, details];
  const response = await fetch(`/api/v1/${path}`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ operator, ...body }),
  });
  await answer<Alarm>(response);
}

export async function returnedAlarms(limit: number): Promise<Alarm[]> {
  const response = await fetch(`/api/v1/alarms?standing=false&limit=${limit}`);
  return (await answer<{ alarms: Alarm[] }>(response)).alarms;
}

export async function transitions(alarmId: string): Promise<AlarmTransition[]> {
  const response = await fetch(`/api/v1/alarms/${alarmId}/transitions`);
  return (await answer<{ transitions: AlarmTransition[] }>(response)).transitions;
}

export const pictureAddress = (id: string): string => `/api/v1/pictures/${encodeURIComponent(id)}`;
