// What follows from a world, worked out once for each: every part of the screen looks things up here.

import type { Action, Alarm, AlarmClass, CommandRecord, DeviceView, SiteView } from "./api";
import { incidentOf, inOrder, isUnanswered, numberOf, order, type World } from "./world";

/** The time within which a camera's suspicion commands its actuators before there is an alarm. */
const SUSPICION_MS = 5_000;

/**
 * The `absence: {after: 15s}` of the rules as delivered: devices report every 5 s, so it is two reports missed and a
 * third due. Past it a value is not the present, whether or not a rule watches the device.
 */
const SILENT_AFTER_MS = 15_000;

/** By this beginning of its rule's id an alarm says that its device is not heard (docs/api.md). */
const ABSENCE_RULES = "device-silent";

/** An event with those of its alarms that people are told of. */
export interface Incident {
  incident: string;
  /** In the order they came; those that are over or hidden are not among them. */
  alarms: readonly Alarm[];
  /** The alarm that began it, whether it stands or not. */
  firstOut: Alarm;
  /** False while nobody has said which was first: the earliest that stands then takes its place. */
  isFirstOutKnown: boolean;
  /** The most urgent of them. */
  foremost: Alarm;
  /** How many joined, those that are over or hidden as well. */
  count: number;
  unanswered: number;
  /** The highest number among them: whoever looks at the screen has seen so many, and none after. */
  seen: number;
}

export type Standing = "normal" | "unknown" | "silent" | "offline";

/** `site/device`: devices of two sites may have the same id. */
export const deviceKey = ({ site, device }: DeviceView): string => `${site}/${device}`;

export class Facts {
  readonly sites: ReadonlyMap<string, SiteView>;
  /** By `site/device`. */
  readonly devices: ReadonlyMap<string, DeviceView>;
  /** The standing alarms that nothing hides, foremost first. */
  readonly alarms: readonly Alarm[];
  /** Those that are shelved, suppressed by design or out of service. */
  readonly hidden: readonly Alarm[];
  /** The same alarms by the event that they belong to, the foremost event first. */
  readonly incidents: readonly Incident[];
  readonly alarmsOfClass: ReadonlyMap<AlarmClass, Alarm[]>;
  private readonly alarmsOfSubject: ReadonlyMap<string, Alarm[]>;
  private readonly newestCommands: ReadonlyMap<string, CommandRecord>;
  private readonly commandsOfCause: ReadonlyMap<string, CommandRecord[]>;
  /** By rule and subject: a camera's suspicion commands under the name of its session, not of the alarm. */
  private readonly commandsOfSubject: ReadonlyMap<string, CommandRecord[]>;
  private readonly heardTimes: ReadonlyMap<DeviceView, number>;

  constructor(private readonly world: World) {
    this.sites = new Map(world.sites.map((site) => [site.id, site]));
    this.devices = new Map(world.devices.map((device) => [deviceKey(device), device]));
    const standing = inOrder(world.alarms.values());
    this.alarms = standing.filter((alarm) => !alarm.hidden);
    this.hidden = standing.filter((alarm) => alarm.hidden);
    this.incidents = this.gathered();
    this.alarmsOfClass = Map.groupBy(this.alarms, (alarm) => alarm.alarm_class);
    this.alarmsOfSubject = Map.groupBy(standing, (alarm) => alarm.subject);
    const commands = [...world.commands.values()];
    this.commandsOfCause = Map.groupBy(commands, ({ command }) => command.cause);
    this.commandsOfSubject = this.bySubject(commands);
    this.newestCommands = new Map(commands.map((record) => [record.command.device, record]));
    this.heardTimes = new Map(
      world.devices.flatMap((device) => {
        const heard = device.signals.flatMap(({ signal, supervisory }) => {
          const reading = supervisory ? undefined : world.readings.get(signal);
          return reading ? [Date.parse(reading.receive_time)] : [];
        });
        return heard.length > 0 ? [[device, Math.max(...heard)] as const] : [];
      }),
    );
  }

  /** The time zone of a site; the first site's where none is named. */
  timeZone(site?: string): string {
    return (site === undefined ? this.world.sites[0] : this.sites.get(site))?.time_zone ?? "UTC";
  }

  /** The alarms about a device that nothing hides: its own, and those of the asset it belongs to. */
  alarmsOf(device: DeviceView): Alarm[] {
    const assets = (this.alarmsOfSubject.get(assetKey(device)) ?? []).filter((alarm) => !alarm.hidden);
    return inOrder([...this.ownAlarms(device), ...assets]);
  }

  ownAlarms(device: DeviceView): readonly Alarm[] {
    return (this.alarmsOfSubject.get(deviceKey(device)) ?? []).filter((alarm) => !alarm.hidden);
  }

  /** What actuators were asked because of an alarm, first to last. */
  commandsOf(alarm: Alarm): CommandRecord[] {
    const caused = this.commandsOfCause.get(alarm.alarm_id) ?? [];
    const onset = Date.parse(alarm.onset_time) - SUSPICION_MS;
    const end = alarm.state === "normal" && alarm.cleared_time ? Date.parse(alarm.cleared_time) + SUSPICION_MS : Infinity;
    const about = (this.commandsOfSubject.get(`${alarm.rule} ${alarm.subject}`) ?? []).filter(({ command }) => {
      const issued = Date.parse(command.issued_time);
      return issued >= onset && issued <= end;
    });
    return [...new Set([...caused, ...about])].sort(
      (one, other) => Date.parse(one.command.issued_time) - Date.parse(other.command.issued_time),
    );
  }

  /** What was asked of a device last (`site/device`). */
  newestCommand(device: string): CommandRecord | undefined {
    return this.newestCommands.get(device);
  }

  /** The devices that can be asked for something about an alarm: its own, and those of its asset. */
  actuatorsOf(alarm: Alarm): DeviceView[] {
    const own = this.devices.get(alarm.subject);
    const asset = own?.asset ? assetKey(own) : alarm.subject;
    return this.world.devices.filter(
      (device) => device.actions.length > 0 && (device === own || (device.asset !== null && assetKey(device) === asset)),
    );
  }

  hasLoudspeaker(site: string, building: string): boolean {
    return this.world.devices.some(
      (device) => device.site === site && device.building === building && device.actions.includes("play"),
    );
  }

  /** What a device can be asked for; null while that is not known. */
  actionsOf(device: DeviceView): Action[] | null {
    return this.world.kinds.find(({ kind }) => kind === device.kind)?.actions ?? null;
  }

  /** When anything but a supervisory signal was last heard from a device, in milliseconds; null if never. */
  heardTime(device: DeviceView): number | null {
    return this.heardTimes.get(device) ?? null;
  }

  /** What is known of a device. Only "normal" means that it is being heard. */
  standing(device: DeviceView, now: number): Standing {
    const online = this.world.readings.get(`${deviceKey(device)}/online`)?.value ?? device.online;
    if (online === false) return "offline";
    // Hidden ones too: a device that is not heard is silent, whether or not anybody is told.
    const absent = (this.alarmsOfSubject.get(deviceKey(device)) ?? []).some(
      ({ rule, state, condition }) =>
        rule.startsWith(ABSENCE_RULES) && state !== "normal" && condition !== "inactive",
    );
    if (absent) return "silent";
    const heard = this.heardTime(device);
    if (heard === null) return "unknown";
    return now - heard >= SILENT_AFTER_MS ? "silent" : "normal";
  }

  private gathered(): Incident[] {
    return [...Map.groupBy(this.alarms, incidentOf)]
      .map(([incident, members]) => {
        const alarms = members.toSorted((one, other) => numberOf(one) - numberOf(other));
        const [first] = alarms as [Alarm];
        const memory = this.world.incidents.get(incident);
        return {
          incident,
          alarms,
          firstOut: memory?.firstOut ?? first,
          isFirstOutKnown: memory?.firstOut !== null,
          foremost: members[0] as Alarm,
          count: memory?.count ?? alarms.length,
          unanswered: alarms.filter(isUnanswered).length,
          seen: numberOf(alarms.at(-1) as Alarm),
        };
      })
      .sort((one, other) => order(one.foremost, other.foremost));
  }

  private bySubject(commands: CommandRecord[]): Map<string, CommandRecord[]> {
    const found = new Map<string, CommandRecord[]>();
    for (const record of commands) {
      const device = this.devices.get(record.command.device);
      for (const subject of device ? [deviceKey(device), assetKey(device)] : []) {
        const key = `${record.command.rule} ${subject}`;
        found.set(key, [...(found.get(key) ?? []), record]);
      }
    }
    return found;
  }
}

const assetKey = ({ site, asset }: DeviceView): string => `${site}/${asset}`;
