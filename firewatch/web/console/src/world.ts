// What the console knows, and how each message of the live feed changes it. Pure: message in, new world out.

import {
  ALARM_CLASSES,
  PRIORITIES,
  type Alarm,
  type CommandRecord,
  type DeviceView,
  type DrillNews,
  type DutyCheck,
  type FeedMessage,
  type IncidentView,
  type KindView,
  type PartStatus,
  type Reading,
  type Rejection,
  type SiteView,
} from "./api";

const RETURNED_KEPT = 8;
const REJECTIONS_KEPT = 50;
const COMMANDS_KEPT = 400;

/** What is remembered of an incident while one of its alarms stands. */
export interface IncidentMemory {
  /** Null until it is known: it may have been over before this page was opened. */
  firstOut: Alarm | null;
  /** How many alarms joined, as far as is known. */
  count: number;
}

export interface World {
  sites: SiteView[];
  devices: DeviceView[];
  /** What the devices of each kind can be asked for. */
  kinds: KindView[];
  readings: ReadonlyMap<string, Reading>;
  alarms: ReadonlyMap<string, Alarm>;
  incidents: ReadonlyMap<string, IncidentMemory>;
  /** The drill that goes on. */
  drill: DrillNews | null;
  /** Its alarms: they are none, and counted nowhere. */
  drillAlarms: ReadonlyMap<string, Alarm>;
  /** Alarms that went back to normal lately, newest first. */
  returned: Alarm[];
  commands: ReadonlyMap<string, CommandRecord>;
  /** Those that wait for an answer. */
  dutyChecks: ReadonlyMap<string, DutyCheck>;
  parts: PartStatus[];
  rejections: Rejection[];
  rejectionCounts: Readonly<Record<string, number>>;
}

export const EMPTY: World = {
  sites: [],
  devices: [],
  kinds: [],
  readings: new Map(),
  alarms: new Map(),
  incidents: new Map(),
  drill: null,
  drillAlarms: new Map(),
  returned: [],
  commands: new Map(),
  dutyChecks: new Map(),
  parts: [],
  rejections: [],
  rejectionCounts: {},
};

export function receive(world: World, message: FeedMessage): World {
  switch (message.type) {
    case "snapshot":
      return {
        sites: message.sites,
        devices: message.devices,
        readings: new Map(
          message.devices.flatMap((device) =>
            device.signals.flatMap(({ signal, last }) => (last ? [[signal, last] as const] : [])),
          ),
        ),
        kinds: world.kinds,
        alarms: byId(message.alarms),
        incidents: remembered(new Map(), message.alarms),
        drill: message.drill,
        drillAlarms: byId(message.drill?.alarms ?? []),
        returned: world.returned,
        // Oldest first, so that the oldest are the first to go.
        commands: new Map(message.commands.toReversed().map((record) => [record.command.command_id, record])),
        dutyChecks: new Map(message.duty_checks.map((check) => [check.check_id, check])),
        parts: message.parts,
        rejections: message.rejections,
        rejectionCounts: message.rejection_counts,
      };
    case "alarm":
      return withAlarms(world, [message.alarm]);
    case "alarms":
      return withAlarms(world, message.alarms);
    case "observation": {
      const readings = new Map(world.readings);
      for (const observation of message.observations) readings.set(observation.signal, observation);
      return { ...world, readings };
    }
    case "command": {
      const commands = new Map(world.commands).set(message.command.command.command_id, message.command);
      for (const oldest of commands.keys()) {
        if (commands.size <= COMMANDS_KEPT) break;
        commands.delete(oldest);
      }
      return { ...world, commands };
    }
    case "duty_check": {
      const dutyChecks = new Map(world.dutyChecks);
      if (message.duty_check.state === "asked") dutyChecks.set(message.duty_check.check_id, message.duty_check);
      else dutyChecks.delete(message.duty_check.check_id);
      return { ...world, dutyChecks };
    }
    case "drill": {
      const { drill, alarms } = message.drill;
      if (drill.ended_time !== null) return { ...world, drill: null, drillAlarms: new Map() };
      return { ...world, drill: message.drill, drillAlarms: changedBy(world.drillAlarms, alarms) };
    }
    case "rejection":
      return { ...world, rejections: [message.rejection, ...world.rejections].slice(0, REJECTIONS_KEPT) };
    case "heartbeat":
      return { ...world, parts: message.parts, rejectionCounts: message.rejection_counts };
    case "resynchronise":
      return world;
    default: // a newer firewatch says more than this page knows
      return world;
  }
}

const byId = (alarms: Alarm[]): Map<string, Alarm> => new Map(alarms.map((alarm) => [alarm.alarm_id, alarm]));

function withAlarms(world: World, changed: Alarm[]): World {
  const alarms = changedBy(world.alarms, changed);
  const returned = changed.filter((alarm) => !stands(alarm));
  const incidents = remembered(world.incidents, changed);
  if (returned.length === 0) return { ...world, alarms, incidents };
  const going = new Set([...alarms.values()].map(incidentOf));
  for (const incident of incidents.keys()) if (!going.has(incident)) incidents.delete(incident);
  return withReturned({ ...world, alarms, incidents }, returned);
}

function changedBy(before: ReadonlyMap<string, Alarm>, changed: Alarm[]): Map<string, Alarm> {
  const alarms = new Map(before);
  for (const alarm of changed) {
    if (stands(alarm)) alarms.set(alarm.alarm_id, alarm);
    else alarms.delete(alarm.alarm_id);
  }
  return alarms;
}

function remembered(before: ReadonlyMap<string, IncidentMemory>, alarms: Alarm[]): Map<string, IncidentMemory> {
  const incidents = new Map(before);
  for (const alarm of alarms) {
    const known = incidents.get(incidentOf(alarm));
    const number = numberOf(alarm);
    incidents.set(incidentOf(alarm), {
      firstOut: number === 1 ? alarm : (known?.firstOut ?? null),
      count: Math.max(number, known?.count ?? 0),
    });
  }
  return incidents;
}

/** What the server knows of incidents that began before this page was opened. */
export function withIncidents(world: World, views: IncidentView[]): World {
  const incidents = new Map(world.incidents);
  for (const { incident, first_out, count } of views) {
    const known = incidents.get(incident);
    if (known) incidents.set(incident, { firstOut: known.firstOut ?? first_out, count: Math.max(known.count, count) });
  }
  return { ...world, incidents };
}

/** The incident that an alarm belongs to; one that tells of none is one of its own. */
export const incidentOf = (alarm: Alarm): string => alarm.incident || alarm.alarm_id;
export const numberOf = (alarm: Alarm): number => alarm.incident_number || 1;

export function withReturned(world: World, alarms: Alarm[]): World {
  const known = new Map([...world.returned, ...alarms].map((alarm) => [alarm.alarm_id, alarm]));
  const returned = [...known.values()]
    .filter((alarm) => !world.alarms.has(alarm.alarm_id))
    .sort((one, other) => leftTime(other) - leftTime(one))
    .slice(0, RETURNED_KEPT);
  return { ...world, returned };
}

const leftTime = (alarm: Alarm): number => Date.parse(alarm.cleared_time ?? alarm.onset_time);

/** One in state "normal" stands as long as an operator's word hides it. */
export const stands = (alarm: Alarm): boolean => alarm.state !== "normal" || alarm.hidden;

export const mayAcknowledge = (alarm: Alarm): boolean =>
  alarm.state === "unacknowledged" || alarm.state === "rtn_unacknowledged" || alarm.state === "latched_unacknowledged";

/** It calls for somebody: nobody has seen it, and nothing hides it. */
export const isUnanswered = (alarm: Alarm): boolean => mayAcknowledge(alarm) && !alarm.hidden;

/** firewatch refuses it while the condition is not known to be over. */
export const mayReset = (alarm: Alarm): boolean =>
  (alarm.state === "latched_unacknowledged" || alarm.state === "latched_acknowledged") && alarm.condition === "inactive";

/** Firewatch takes a verdict on what somebody has seen, up to a day after its end. */
export const mayConfirm = (alarm: Alarm): boolean =>
  alarm.acknowledged_time !== null &&
  (alarm.state === "acknowledged" || alarm.state === "latched_acknowledged" || alarm.state === "normal");

/** How urgently it calls for people, 0 the most: fire before all else, then by priority. */
export const urgency = (alarm: Alarm): number =>
  PRIORITIES.indexOf(alarm.priority) + (alarm.alarm_class === "fire" ? 0 : PRIORITIES.length);

/** Fire before all else, then by priority, then the newest first. */
export const order = (one: Alarm, other: Alarm): number =>
  ALARM_CLASSES.indexOf(one.alarm_class) - ALARM_CLASSES.indexOf(other.alarm_class) ||
  PRIORITIES.indexOf(one.priority) - PRIORITIES.indexOf(other.priority) ||
  Date.parse(other.onset_time) - Date.parse(one.onset_time);

export const inOrder = (alarms: Iterable<Alarm>): Alarm[] => [...alarms].sort(order);
