// What the console knows, and how each message of the live feed changes it. Pure: message in, new world out.

import {
  ALARM_CLASSES,
  PRIORITIES,
  type Alarm,
  type CommandRecord,
  type DeviceView,
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
        parts: message.parts,
        rejections: message.rejections,
        rejectionCounts: message.rejection_counts,
      };
    case "alarm":
      return withAlarm(world, message.alarm);
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
    case "part": {
      const others = world.parts.filter((part) => part.name !== message.part.name);
      const place = world.parts.findIndex((part) => part.name === message.part.name);
      return { ...world, parts: others.toSpliced(place < 0 ? others.length : place, 0, message.part) };
    }
    case "rejection":
      return { ...world, rejections: [message.rejection, ...world.rejections].slice(0, REJECTIONS_KEPT) };
    case "heartbeat":
      return { ...world, parts: message.parts, rejectionCounts: message.rejection_counts };
    case "resynchronise":
      return world;
  }
}

function withAlarm(world: World, alarm: Alarm): World {
  const alarms = new Map(world.alarms);
  if (alarm.state !== "normal") {
    alarms.set(alarm.alarm_id, alarm);
    return { ...world, alarms };
  }
  alarms.delete(alarm.alarm_id);
  return withReturned({ ...world, alarms }, [alarm]);
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

export const isUnanswered = (alarm: Alarm): boolean =>
  alarm.state === "unacknowledged" || alarm.state === "rtn_unacknowledged";

/** Fire before all else, then by priority, then the newest first. */
export function inOrder(alarms: Iterable<Alarm>): Alarm[] {
  return [...alarms].sort(
    (one, other) =>
      ALARM_CLASSES.indexOf(one.alarm_class) - ALARM_CLASSES.indexOf(other.alarm_class) ||
      PRIORITIES.indexOf(one.priority) - PRIORITIES.indexOf(other.priority) ||
      Date.parse(other.onset_time) - Date.parse(one.onset_time),
  );
}

/** The alarms about a device: its own, and those of the asset it belongs to. */
export function alarmsOf(world: World, device: DeviceView): Alarm[] {
  const subjects = [device.device, device.asset].map((id) => `${device.site}/${id}`);
  return inOrder(world.alarms.values()).filter((alarm) => subjects.includes(alarm.subject));
}

/** A camera's suspicion commands its actuators before there is an alarm, and so under the session's name. */
const SUSPICION_MS = 5_000;

export function commandsOf(world: World, alarm: Alarm): CommandRecord[] {
  const devices = new Map(world.devices.map((device) => [`${device.site}/${device.device}`, device]));
  const onset = Date.parse(alarm.onset_time) - SUSPICION_MS;
  const end = alarm.state === "normal" && alarm.cleared_time ? Date.parse(alarm.cleared_time) + SUSPICION_MS : Infinity;
  const belongs = ({ command }: CommandRecord): boolean => {
    if (command.cause === alarm.alarm_id) return true;
    const device = devices.get(command.device);
    const issued = Date.parse(command.issued_time);
    const about = device && [command.device, `${device.site}/${device.asset}`].includes(alarm.subject);
    return Boolean(about) && command.rule === alarm.rule && issued >= onset && issued <= end;
  };
  return [...world.commands.values()]
    .filter(belongs)
    .sort((one, other) => Date.parse(one.command.issued_time) - Date.parse(other.command.issued_time));
}

/** Three reports of a device that reports every five seconds, twice over: past this its values are not the present. */
export const SILENT_AFTER_MS = 30_000;

export type Standing = "normal" | "unknown" | "silent" | "offline";

/** What is known of a device. Only "normal" means that it is being heard. */
export function standing(world: World, device: DeviceView, now: number): Standing {
  const online = world.readings.get(`${device.site}/${device.device}/online`)?.value ?? device.online;
  if (online === false) return "offline";
  const heard = device.signals.flatMap(({ signal, supervisory }) => {
    const reading = supervisory ? undefined : world.readings.get(signal);
    return reading ? [Date.parse(reading.receive_time)] : [];
  });
  if (heard.length === 0) return "unknown";
  return now - Math.max(...heard) > SILENT_AFTER_MS ? "silent" : "normal";
}
