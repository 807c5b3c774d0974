// What the API says of drills, and how a screen has one run.

import { get, post, type Alarm, type CommandRecord, type CommandState, type LocalText, type Measured, type Value } from "./api";
import type { DeliveryState } from "./notifications";

/** A device (an id within the plan's site) reports a value; durations are texts such as "PT1.5S". */
export interface PlannedReading {
  after: string;
  device: string;
  signal: string;
  value: Value;
}

/** An alarm of `rule` about `subject`, or `device` (`site/device`) doing `action`, or a message that `told` takes. */
export interface Expectation {
  within: string;
  rule: string | null;
  subject: string | null;
  device: string | null;
  action: string | null;
  proven: boolean;
  told: string | null;
}

export interface DrillPlan {
  plan: string;
  label: LocalText;
  site: string;
  readings: PlannedReading[];
  /** The actuators (`site/device`) that may really be asked, and the targets that may really be told. */
  may_ask: string[];
  may_tell: string[];
  expect: Expectation[];
  longest: string;
}

export type DrillOutcome = "completed" | "time_over" | "stopped" | "real_alarm" | "interrupted" | "failed";

export interface Drill {
  drill_id: string;
  plan: string;
  begun_time: string;
  by: string;
  ended_time: string | null;
  outcome: DrillOutcome | "";
}

export type Withheld = "not_planned" | "real_command";

export interface DrillReading {
  planned: PlannedReading;
  sent_time: string | null;
  received_time: string | null;
}

export interface DrillCommand {
  command: CommandRecord["command"];
  state: CommandState | null;
  proven_time: string | null;
  withheld: Withheld | null;
}

export interface DrillMessage {
  target: string;
  alarm_id: string;
  state: DeliveryState | null;
  ended_time: string | null;
  withheld: Withheld | null;
}

export interface Expected {
  expectation: Expectation;
  due_time: string;
  met_time: string | null;
  verdict: "pass" | "late" | "not_yet";
}

export interface DrillReport {
  label: LocalText;
  site: string;
  /** Early while the drill goes on. */
  passed: boolean;
  detail: string;
  readings: DrillReading[];
  alarms: { alarm: Alarm; way: Measured | null }[];
  commands: DrillCommand[];
  messages: DrillMessage[];
  expected: Expected[];
}

export interface DrillView {
  drill: Drill;
  report: DrillReport | null;
}

export const drillPlans = (): Promise<DrillPlan[]> =>
  get<{ plans: DrillPlan[] }>("drill-plans").then(({ plans }) => plans);

export const drills = (limit: number): Promise<Drill[]> =>
  get<{ drills: Drill[] }>(`drills?limit=${limit}`).then(({ drills }) => drills);

export const drill = (drillId: string): Promise<DrillView> => get(`drills/${encodeURIComponent(drillId)}`);

export const startDrill = (operator: string, plan: string): Promise<Drill> => post("drills", { operator, plan });

export const stopDrill = (operator: string, drillId: string): Promise<Drill> =>
  post(`drills/${encodeURIComponent(drillId)}/stop`, { operator });
