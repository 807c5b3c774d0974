// What the API says of messages to people and systems outside, and how a screen has them sent.

import { get, post, type AlarmClass } from "./api";

export interface Target {
  target: string;
  kind: string;
  /** Unless its last attempt failed. */
  ready: boolean;
  waiting: number;
  /** Since the start. */
  delivered: number;
  dead: number;
  failures: number;
  error: string;
  last_delivered_time: string | null;
  next_attempt_time: string | null;
}

export const DELIVERY_STATES = ["dead", "waiting", "delivered", "withdrawn"] as const;
export type DeliveryState = (typeof DELIVERY_STATES)[number];

export interface Delivery {
  delivery_id: string;
  target: string;
  /** Empty for a test. */
  alarm_id: string;
  number: number;
  reason: "onset" | "realarmed" | "escalated" | "acknowledged" | "returned" | "changed" | "summary" | "test";
  created_time: string;
  due_time: string;
  alarm_class: AlarmClass;
  plan: string;
  step: number;
  person: string | null;
  state: DeliveryState;
  attempts: number;
  next_attempt_time: string | null;
  ended_time: string | null;
  error: string;
  by: string;
}

export interface DeliveryFilter {
  state: DeliveryState | null;
  target: string | null;
  alarm: string | null;
}

export const targets = (): Promise<Target[]> =>
  get<{ targets: Target[] }>("notification-targets").then(({ targets }) => targets);

export function deliveries({ state, target, alarm }: DeliveryFilter, limit: number): Promise<Delivery[]> {
  const parameters = new URLSearchParams({ limit: String(limit) });
  if (state !== null) parameters.set("state", state);
  if (target !== null) parameters.set("target", target);
  if (alarm !== null) parameters.set("alarm_id", alarm);
  return get<{ deliveries: Delivery[] }>(`deliveries?${parameters}`).then(({ deliveries }) => deliveries);
}

/** The answer says whether the receiver took it, and why not. */
export const sendTest = (operator: string, target: string): Promise<Delivery> =>
  post(`notification-targets/${encodeURIComponent(target)}/test`, { operator });

export const sendAgain = (operator: string, deliveryId: string): Promise<Delivery> =>
  post(`deliveries/${encodeURIComponent(deliveryId)}/send-again`, { operator });
