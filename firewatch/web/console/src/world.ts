// What the console knows, and how each message of the live feed changes it. Pure: message in, new world out.

import {
  ALARM_CLASSES,
  PRIORITIES,
  type Alarm,
  type CommandRecord,
  type DeviceView,
  type DutyCheck,
  type FeedMessage,
  type PartStatus,
  type Reading,
  type Rejection,
  type SiteView,
} from "./api";

const RETURNED_KEPT = 8;
const REJECTIONS_KEPT = 50;
const COMMANDS_KEPT = 400;

export interface World {
  sites: SiteView[];
  devices: DeviceView[];
  readings: ReadonlyMap<string, Reading>;
  alarms: ReadonlyMap<string, Alarm>;
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
  readings: new Map(),
  alarms: new Map(),
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
        alarms: new Map(message.alarms.map((alarm) => [alarm.alarm_id, alarm])),
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

function withAlarms(world: World, changed: Alarm[]): World {
  const alarms = new Map(world.alarms);
  for (const alarm of changed) {
    if (stands(alarm)) alarms.set(alarm.alarm_id, alarm);
    else alarms.delete(alarm.alarm_id);
  }
  const returned = changed.filter((alarm) => !stands(alarm));
  return returned.length > 0 ? withReturned({ ...world, alarms }, returned) : { ...world, alarms };
}

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

/** Fire before all else, then by priority, then the newest first. */
export function inOrder(alarms: Iterable<Alarm>): Alarm[] {
  return [...alarms].sort(
    (one, other) =>
      ALARM_CLASSES.indexOf(one.alarm_class) - ALARM_CLASSES.indexOf(other.alarm_class) ||
      PRIORITIES.indexOf(one.priority) - PRIORITIES.indexOf(other.priority) ||
      Date.parse(other.onset_time) - Date.parse(one.onset_time),
  );
}
