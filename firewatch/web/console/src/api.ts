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

export interface Maintenance extends Hiding {
  work_order: string;
  /** Null only for what was taken out before there were ends. */
  until_time: string | null;
  /** Once people were told that the end is near. */
  reminded: boolean;
}

export const VERDICTS = ["real", "false", "test"] as const;
export type Verdict = (typeof VERDICTS)[number];

/** What an alarm turned out to be, and what was done. */
export interface Confirmation {
  by: string;
  confirmed_time: string;
  verdict: Verdict;
  comment: string;
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
  step: number;
  shadow: boolean;
  hidden: boolean;
  shelf: Shelf | null;
  suppressed_by: string | null;
  out_of_service: Maintenance | null;
  confirmation: Confirmation | null;
  /** The id of the first alarm of its incident, and its place in it: 1 is the first-out. */
  incident: string;
  incident_number: number;
  /** The drill that it is part of: it is then no alarm at all. */
  drill: string | null;
}

/** What wears people out: an invitation to look at the rule or the device. */
export type Mark = "chattering" | "fleeting" | "stale";
export type Marks = Readonly<Record<string, readonly Mark[]>>;

/** An event of which an alarm stands. */
export interface IncidentView {
  incident: string;
  first_out: Alarm;
  count: number;
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
    /** The drill that it is part of. */
    drill: string | null;
  };
  answer: {
    state: "accepted" | "done" | "failed";
    detail: string;
    source_time: string;
    receive_time: string;
  } | null;
  state: CommandState;
  proven_time: string | null;
  /** How often it was asked since firewatch started. */
  attempts: number;
}

export type CommandState = "sent" | "accepted" | "done" | "proven" | "failed" | "unproven";

/** One parameter of an action; a choice is one of some words. */
export interface Parameter {
  name: string;
  type: "text" | "number" | "boolean" | "choice";
  label: LocalText;
  unit: string;
  range: [number, number] | null;
  whole: boolean;
  choices: string[];
  longest: number;
  required: boolean;
  default: Value | null;
}

export interface Action {
  name: string;
  label: LocalText;
  /** Null where the device takes any. */
  parameters: Parameter[] | null;
  /** Fire linkage: it needs a reason. */
  linkage: boolean;
  undo: string | null;
  proof: { signal: string; value: Value } | null;
}

/** A kind of device and the actions that its devices answer. */
export interface KindView {
  kind: string;
  label: LocalText;
  system: string;
  actions: Action[];
}

export interface SeatView {
  seat: { id: string; label: LocalText };
}

export const MILESTONES = ["source", "received", "decided", "journalled", "annunciated", "delivered", "proven"] as const;
export type Milestone = (typeof MILESTONES)[number];
export type DeadlineVerdict = "pass" | "late" | "not_yet";

/** The way of an alarm to people and actuators, stage by stage, against the limits of the standards. */
export interface Measured {
  steps: { stage: Milestone; reached_time: string | null }[];
  deadlines: {
    limit: { stage: Milestone; since: Milestone; clause: string };
    due_time: string;
    reached_time: string | null;
    verdict: DeadlineVerdict;
  }[];
  verdict: DeadlineVerdict;
  slow_stage: Milestone | null;
}

/** A signal that a rule listens to, with its newest reading. */
export interface InputView {
  signal: string;
  device: LocalText;
  label: LocalText;
  type: string;
  unit: string;
  last: Reading | null;
}

export type Condition = "active" | "inactive" | "unknown";

export interface FindingView {
  kind: string;
  condition: Condition;
  text: LocalText;
  note: LocalText | null;
  signals: string[];
  onset_time: string | null;
  due: string | null;
  facts: Record<string, Value>;
  parts: FindingView[];
}

export interface StepView {
  priority: Priority;
  decides: boolean;
  finding: FindingView | null;
}

export interface RuleFailure {
  rule: string;
  subject: string;
  failed_time: string;
  error: string;
}

export interface ExplanationView {
  now: string;
  rule: string;
  subject: string;
  place: LocalText;
  text: LocalText;
  alarm_class: AlarmClass;
  mode: "live" | "shadow";
  verdict: LocalText;
  steps: StepView[];
  inputs: InputView[];
  alarm: Alarm | null;
  suppressor: Alarm | null;
  failure: RuleFailure | null;
  next_wake: string | null;
}

export interface AlarmExplanation {
  alarm: Alarm;
  verdict: LocalText;
  explanation: ExplanationView | null;
}

export interface ShadowList {
  rules: { rule: string; count: number }[];
  alarms: Alarm[];
}

export interface RulesProblem {
  file: string;
  line: number;
  column: number;
  where: string;
  what: string;
  hint: string;
  text: string;
}

export interface RulesState {
  rules: string;
  count: number;
  since: string;
  problems: RulesProblem[];
}

export interface RulesReload {
  time: string;
  trigger: "operator" | "signal" | "files" | "start";
  outcome: "taken" | "unchanged" | "refused";
  by: string;
  report: { unchanged: number; rules: { rule: string; difference: string }[] } | null;
  difference: string;
  problems: RulesProblem[];
}

export type Against = "recorded" | "live";

/** When people were, or would have been, told of an alarm. */
export interface Told {
  rule: string;
  site: string;
  subject: string;
  priority: Priority;
  alarm_class: AlarmClass;
  told_time: string;
  value?: Value;
  unit?: string;
}

export interface BacktestResult {
  start: string;
  end: string;
  observations: number;
  before: number;
  after: number;
  counts: {
    rule: string;
    text: LocalText | null;
    before: number;
    after: number;
    added: number;
    removed: number;
    moved: number;
  }[];
  differences: { fate: "moved" | "added" | "removed"; before?: Told; after?: Told }[];
  realities: {
    reality: { time: string; subject: string };
    alarmed_before: boolean;
    alarmed_after: boolean;
  }[];
  loads: { time: string; before: number; after: number }[];
  failures: RuleFailure[];
  summary: LocalText;
}

export interface BacktestState {
  backtest_id: string;
  asked_time: string;
  wish: { start: string; end: string; against: Against; operator: string };
  phase: "running" | "done" | "failed" | "cancelled";
  progress: number;
  error: string;
  result: BacktestResult | null;
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

/** Somebody asked a seat whether anybody is there; it is open while its `state` is `asked`. */
export interface DutyCheck {
  check_id: string;
  seat: string;
  site: string;
  asked_by: string;
  asked_time: string;
  until_time: string;
  state: "asked" | "answered" | "missed" | "replaced";
  ended_time: string | null;
  answered_by: string | null;
  /** When somebody came back and said so after all, where it was missed. */
  late_answer_time: string | null;
}

/** A drill as it stands, with those of its alarms that changed; in a snapshot all that stand. */
export interface DrillNews {
  drill: { drill_id: string; by: string; begun_time: string; ended_time: string | null };
  label: LocalText;
  site: string;
  until_time: string;
  alarms: Alarm[];
}

export interface Snapshot {
  type: "snapshot";
  now: string;
  sites: SiteView[];
  devices: DeviceView[];
  alarms: Alarm[];
  commands: CommandRecord[];
  duty_checks: DutyCheck[];
  drill: DrillNews | null;
  parts: PartStatus[];
  rejections: Rejection[];
  rejection_counts: Record<string, number>;
}

export type FeedMessage =
  | Snapshot
  | { type: "resynchronise"; missed: number }
  | { type: "heartbeat"; now: string; parts: PartStatus[]; rejection_counts: Record<string, number> }
  | { type: "alarm"; alarm: Alarm }
  | { type: "alarms"; alarms: Alarm[] }
  | { type: "observation"; observations: Observation[] }
  | { type: "command"; command: CommandRecord }
  | { type: "duty_check"; duty_check: DutyCheck }
  | { type: "drill"; drill: DrillNews }
  | { type: "rejection"; rejection: Rejection };

/** The server did not do it. Its own words for why are English, so a screen says it in the reader's as well. */
export class Refusal extends Error {
  constructor(
    readonly status: number,
    readonly what: string,
  ) {
    super(`status ${status}`);
  }
}

async function answer<T>(response: Response): Promise<T> {
  if (!response.ok) {
    const said = (await response.json().catch(() => null)) as { error?: { what?: string } } | null;
    throw new Refusal(response.status, said?.error?.what ?? "");
  }
  return (await response.json()) as T;
}

export async function get<T>(path: string): Promise<T> {
  return answer<T>(await fetch(`/api/v1/${path}`));
}

export async function post<T>(path: string, body: object): Promise<T> {
  const response = await fetch(`/api/v1/${path}`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });
  return answer<T>(response);
}

export const oneAlarm = (alarmId: string): Promise<Alarm> => get(`alarms/${alarmId}`);

/** What an operator may ask of an alarm. */
export type Request =
  | { verb: "reset" | "unshelve" }
  /** `seen` is the alarm's `activations` on the screen: an onset since is not acknowledged unseen. */
  | { verb: "acknowledge"; seen: number }
  | { verb: "confirm"; verdict: Verdict; comment: string }
  | { verb: "shelve"; reason: string; seconds: number | null };

export async function ask({ alarm_id }: Alarm, operator: string, request: Request): Promise<void> {
  const { verb, ...details } = request;
  const body =
    request.verb === "shelve" && request.seconds === null ? { reason: request.reason, one_shot: true } : details;
  await post(`alarms/${alarm_id}/${verb}`, { operator, ...body });
}

/** Of the first `seen` alarms of an incident all that wait for it. */
export const acknowledgeIncident = (incident: string, operator: string, seen: number): Promise<unknown> =>
  post(`incidents/${encodeURIComponent(incident)}/acknowledge`, { operator, seen });

export interface Outage {
  /** `site/device` or `site/asset`. */
  subject: string;
  /** Only what this rule says of it; null: all that is said of it. */
  rule: string | null;
  reason: string;
  work_order: string;
  seconds: number;
}

export const takeOutOfService = (operator: string, { rule, ...outage }: Outage): Promise<unknown> =>
  post("out-of-service", { operator, ...outage, ...(rule === null ? {} : { rule }) });

/** All that is out of service about a subject. */
export const returnToService = (operator: string, subject: string, reason: string): Promise<unknown> =>
  post("return-to-service", { operator, subject, reason });

/** What a rule says of a subject, by the alarm that is out of service. */
export const returnAlarmToService = (operator: string, alarmId: string, reason: string): Promise<unknown> =>
  post(`alarms/${alarmId}/return-to-service`, { operator, reason });

export const incidents = (): Promise<IncidentView[]> =>
  get<{ incidents: IncidentView[] }>("incidents").then(({ incidents }) => incidents);

/** The alarms of an incident, newest first, those that are over as well. */
export const alarmsOfIncident = (incident: string): Promise<Alarm[]> =>
  get<{ alarms: Alarm[] }>(`incidents/${encodeURIComponent(incident)}?limit=500`).then(({ alarms }) => alarms);

export const marksOfAlarms = (): Promise<Marks> => get<{ marks: Marks }>("alarms?limit=500").then(({ marks }) => marks);

export const deadlines = (alarmId: string): Promise<Measured[]> =>
  get<{ measured: Measured[] }>(`alarms/${alarmId}/deadlines`).then(({ measured }) => measured);

export const kinds = (): Promise<KindView[]> => get<{ kinds: KindView[] }>("actions").then(({ kinds }) => kinds);

export interface Wish {
  action: string;
  parameters: Record<string, Value>;
  reason: string;
}

export const actuate = (operator: string, device: string, wish: Wish): Promise<unknown> =>
  post(`actuators/${device}/commands`, { operator, ...wish });

/** All loudspeakers of some buildings at once. */
export const broadcast = (operator: string, site: string, buildings: string[], wish: Wish): Promise<unknown> => {
  const { action, parameters, reason } = wish;
  return post("broadcasts", { operator, site, buildings, action, reason, ...parameters });
};

export const seats = (): Promise<SeatView[]> => get<{ seats: SeatView[] }>("seats").then(({ seats }) => seats);

export const answerDutyCheck = (operator: string, checkId: string): Promise<unknown> =>
  post(`duty-checks/${checkId}/answer`, { operator });

export const returnedAlarms = (limit: number): Promise<Alarm[]> =>
  get<{ alarms: Alarm[] }>(`alarms?standing=false&limit=${limit}`).then(({ alarms }) => alarms);

export const transitions = (alarmId: string): Promise<AlarmTransition[]> =>
  get<{ transitions: AlarmTransition[] }>(`alarms/${alarmId}/transitions`).then(({ transitions }) => transitions);

export const explainAlarm = (alarmId: string): Promise<AlarmExplanation> => get(`alarms/${alarmId}/explanation`);

export const explainRule = (rule: string, subject: string): Promise<ExplanationView> =>
  get(`explanations?${new URLSearchParams({ rule, subject })}`);

/** For a device or an asset, `site/id`. */
export const explainDevice = (device: string): Promise<ExplanationView[]> =>
  get<{ explanations: ExplanationView[] }>(`devices/${device}/explanations`).then(({ explanations }) => explanations);

export const shadows = (): Promise<ShadowList> => get("rules/shadow");

export const failures = (): Promise<RuleFailure[]> =>
  get<{ failures: RuleFailure[] }>("rules/failures").then(({ failures }) => failures);

export const rulesState = (): Promise<RulesState> => get("rules/state");

export const reloads = (limit: number): Promise<RulesReload[]> =>
  get<{ reloads: RulesReload[] }>(`rules/reloads?limit=${limit}`).then(({ reloads }) => reloads);

export const reloadRules = (operator: string): Promise<RulesReload> => post("rules/reload", { operator });

export const backtests = (): Promise<BacktestState[]> =>
  get<{ backtests: BacktestState[] }>("backtests").then(({ backtests }) => backtests);

export const backtest = (id: string): Promise<BacktestState> => get(`backtests/${id}`);

export const startBacktest = (operator: string, start: string, against: Against): Promise<BacktestState> =>
  post("backtests", { operator, start, against });

export const cancelBacktest = (operator: string, id: string): Promise<BacktestState> =>
  post(`backtests/${id}/cancel`, { operator });

export const pictureAddress = (id: string): string => `/api/v1/pictures/${encodeURIComponent(id)}`;
