import { useEffect, useMemo, useState } from "preact/hooks";

import { acknowledgeIncident, alarmsOfIncident, type Alarm, type CommandRecord, type Marks } from "../api";
import type { Incident } from "../facts";
import { useDesk, useScreen } from "../screen";
import { useWords } from "../text";
import { isUnanswered, numberOf, stands, urgency } from "../world";
import { AlarmBody, AlarmTags } from "./alarm-card";
import { Age } from "./age";
import { HiddenBy } from "./hiding";
import { MarkTags, VerdictTag } from "./tags";
import { Trouble, useRequest } from "./use-request";
import { useSame } from "./use-same";

/** So many members are drawn at a time: an incident may have hundreds. */
const WINDOW = 50;
/** Buildings named on a card; more are counted. */
const BUILDINGS_NAMED = 3;

interface Props {
  incident: Incident;
  marks: Marks;
  open(alarm: Alarm): void;
}

/** An event of many alarms on one card: the first-out whole, how many more there are, and all of them to unfold. */
export function IncidentCard({ incident, marks, open }: Props) {
  const { facts } = useScreen();
  const alarms = useSame(incident.alarms);
  const commands = useSame(facts.commandsOf(incident.firstOut));
  const { firstOut, foremost, count } = incident;
  return useMemo(
    () => <Card incident={incident} commands={commands} marks={marks} open={open} />,
    [alarms, commands, marks, open, firstOut, foremost, count],
  );
}

function Card({ incident, commands, marks, open }: Props & { commands: readonly CommandRecord[] }) {
  const words = useWords();
  const { time } = useDesk();
  const { firstOut, foremost, unanswered } = incident;
  const [unfolded, setUnfolded] = useState(false);
  const others = incident.alarms.filter((alarm) => alarm.alarm_id !== firstOut.alarm_id);
  const members = `members-${incident.incident}`;
  return (
    <li
      class={`card incident ${foremost.alarm_class} ${unanswered > 0 ? "calling" : ""}`}
      data-incident={incident.incident}
    >
      <div class="card-head">
        <span class={`tag ${foremost.alarm_class}`}>{words.say(`class.${foremost.alarm_class}`)}</span>
        <span class="priority">{words.say(`priority.${foremost.priority}`)}</span>
        <span class="state">{words.say("incident.count", { n: incident.count })}</span>
        <span class={unanswered > 0 ? "unanswered" : ""}>
          {unanswered > 0 ? words.say("lamp.unanswered", { n: unanswered }) : words.say("lamp.answered")}
        </span>
        <Buildings alarms={incident.alarms} />
        <time class="grow right">
          {words.say("alarm.onset", { time: time(firstOut.onset_time, firstOut.site) })}
          <Age since={firstOut.onset_time} />
        </time>
      </div>
      <div class={`first-out ${firstOut.state}`} data-alarm={firstOut.alarm_id}>
        <div class="card-head">
          <span class="first-out-mark">{words.say(incident.isFirstOutKnown ? "incident.firstOut" : "incident.earliest")}</span>
          <AlarmTags alarm={firstOut} marks={marks[firstOut.alarm_id] ?? []} />
        </div>
        <div class="card-body">
          <AlarmBody alarm={firstOut} commands={commands} open={open} />
          <div class="card-side">
            <AcknowledgeSeen incident={incident} />
          </div>
        </div>
        {firstOut.hidden && <HiddenBy alarm={firstOut} />}
      </div>
      {foremost.alarm_id !== firstOut.alarm_id && urgency(foremost) < urgency(firstOut) && (
        <p class="foremost">
          <b>{words.say("incident.foremost")}</b> <MemberLine alarm={foremost} open={open} />
        </p>
      )}
      <button
        type="button"
        class="unfold"
        aria-expanded={unfolded}
        aria-controls={members}
        onClick={() => setUnfolded(!unfolded)}
      >
        {words.say(unfolded ? "incident.fold" : "incident.more", { n: others.length })}
      </button>
      {unfolded && <Members id={members} incident={incident} others={others} marks={marks} open={open} />}
    </li>
  );
}

/** Acknowledge what this screen shows, and nothing that comes while the button is pressed. */
function AcknowledgeSeen({ incident }: { incident: Incident }) {
  const words = useWords();
  const { live } = useDesk();
  const { ask, asking, trouble } = useRequest();
  const { seen, unanswered } = incident;
  if (unanswered === 0) return null;
  return (
    <>
      <button
        type="button"
        class="main"
        disabled={asking || !live}
        onClick={() => ask((name) => acknowledgeIncident(incident.incident, name, seen))}
      >
        {asking ? words.say("alarm.acknowledging") : words.say("incident.acknowledge", { n: unanswered })}
      </button>
      <Trouble trouble={trouble} />
    </>
  );
}

function Buildings({ alarms }: { alarms: readonly Alarm[] }) {
  const words = useWords();
  const { buildingLabel } = useDesk();
  const places = new Map(alarms.map(({ site, building }) => [`${site}/${building}`, { site, building }]));
  const labels = [...places.values()].map(({ site, building }) => {
    const label = buildingLabel(site, building);
    return label ? words.of(label) : building;
  });
  return (
    <>
      {labels.slice(0, BUILDINGS_NAMED).map((label) => (
        <span key={label} class="building">
          {label}
        </span>
      ))}
      {labels.length > BUILDINGS_NAMED && (
        <span class="building">{words.say("incident.buildings", { n: labels.length - BUILDINGS_NAMED })}</span>
      )}
    </>
  );
}

interface MembersProps extends Props {
  id: string;
  others: readonly Alarm[];
}

/** Every other alarm of the incident, in the order they came, a window at a time. */
function Members({ id, incident, others, marks, open }: MembersProps) {
  const words = useWords();
  const [windows, setWindows] = useState(1);
  const shown = others.slice(0, windows * WINDOW);
  return (
    <div class="members" id={id}>
      <ol>
        {shown.map((alarm) => (
          <Member key={alarm.alarm_id} alarm={alarm} marks={marks} open={open} />
        ))}
      </ol>
      {shown.length < others.length && (
        <p class="paging">
          {words.say("incident.shown", { n: shown.length, all: others.length })}
          <button type="button" class="plain" onClick={() => setWindows(windows + 1)}>
            {words.say("incident.showMore", { n: Math.min(WINDOW, others.length - shown.length) })}
          </button>
        </p>
      )}
      {incident.count > incident.alarms.length && <Over incident={incident} open={open} />}
    </div>
  );
}

function Member({ alarm, marks, open }: { alarm: Alarm; marks: Marks; open(alarm: Alarm): void }) {
  const marked = useSame(marks[alarm.alarm_id] ?? []);
  return useMemo(
    () => (
      <li class={`member ${alarm.alarm_class} ${isUnanswered(alarm) ? "waiting" : ""}`} data-member={alarm.alarm_id}>
        <MemberLine alarm={alarm} open={open} />
        <MarkTags marks={marked} />
        <VerdictTag alarm={alarm} />
      </li>
    ),
    [alarm, marked, open],
  );
}

function MemberLine({ alarm, open }: { alarm: Alarm; open(alarm: Alarm): void }) {
  const words = useWords();
  const { time } = useDesk();
  return (
    <button type="button" title={words.say("alarm.details")} onClick={() => open(alarm)}>
      <span class="number">{numberOf(alarm)}</span>
      <span class={`tag ${alarm.alarm_class}`}>{words.say(`priority.${alarm.priority}`)}</span>
      <span class="grow">
        <b>{words.of(alarm.text)}</b> {words.of(alarm.place)}
      </span>
      <span class="state">{words.say(`state.${alarm.state}`)}</span>
      <time>{time(alarm.onset_time, alarm.site)}</time>
    </button>
  );
}

/** Those that are over or hidden, from the history; asked for when the incident is unfolded. */
function Over({ incident, open }: { incident: Incident; open(alarm: Alarm): void }) {
  const words = useWords();
  const { live } = useDesk();
  const [all, setAll] = useState<Alarm[]>([]);
  const rest = incident.count - incident.alarms.length;

  useEffect(() => {
    let left = false;
    if (live)
      alarmsOfIncident(incident.incident).then(
        (alarms) => !left && setAll(alarms),
        () => undefined,
      );
    return () => {
      left = true;
    };
  }, [incident.incident, rest, live]);

  const told = new Set(incident.alarms.map((alarm) => alarm.alarm_id));
  const gone = all.filter((alarm) => !told.has(alarm.alarm_id)).sort((one, other) => numberOf(one) - numberOf(other));
  return (
    <details>
      <summary>{words.say("incident.over", { n: rest })}</summary>
      <ol>
        {gone.slice(0, WINDOW).map((alarm) => (
          <li key={alarm.alarm_id} class={stands(alarm) ? "member hidden" : "member over"} data-member={alarm.alarm_id}>
            <MemberLine alarm={alarm} open={open} />
          </li>
        ))}
      </ol>
    </details>
  );
}
