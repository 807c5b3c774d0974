import { useState } from "preact/hooks";

import type { Alarm } from "../api";
import { useDesk, useScreen } from "../screen";
import { useWords } from "../text";
import { HiddenBy } from "./hiding";
import { OutOfServiceDialog, ReturnDialog, subjectLabel } from "./out-of-service";

interface Props {
  open(alarm: Alarm): void;
}

/** Nothing is hidden without a trace: how many there are, which, by whom, why and until when. */
export function HiddenAlarms({ open }: Props) {
  const words = useWords();
  const { facts } = useScreen();
  const out = facts.hidden.filter((alarm) => alarm.out_of_service !== null);
  const shelved = facts.hidden.filter((alarm) => alarm.out_of_service === null && alarm.shelf !== null);
  const suppressed = facts.hidden.filter((alarm) => alarm.out_of_service === null && alarm.shelf === null);
  const reminded = out.some((alarm) => alarm.out_of_service?.reminded);
  return (
    <details class="returned hidden-alarms">
      <summary>
        {words.say("alarms.hidden", { n: facts.hidden.length })}
        {reminded && <span class="reminder">{words.say("outage.reminded")}</span>}
      </summary>
      {out.length > 0 && (
        <>
          <h2>{words.say("outage.list", { n: out.length })}</h2>
          <ul>
            {[...Map.groupBy(out, (alarm) => alarm.subject)].map(([subject, alarms]) => (
              <OutOfService key={subject} subject={subject} alarms={alarms} open={open} />
            ))}
          </ul>
        </>
      )}
      {shelved.length > 0 && <Some title={words.say("shelf.list", { n: shelved.length })} alarms={shelved} open={open} />}
      {suppressed.length > 0 && (
        <Some title={words.say("suppressed.list", { n: suppressed.length })} alarms={suppressed} open={open} />
      )}
    </details>
  );
}

function Some({ title, alarms, open }: Props & { title: string; alarms: Alarm[] }) {
  return (
    <>
      <h2>{title}</h2>
      <ol>
        {alarms.map((alarm) => (
          <HiddenAlarm key={alarm.alarm_id} alarm={alarm} open={open} />
        ))}
      </ol>
    </>
  );
}

function HiddenAlarm({ alarm, open }: Props & { alarm: Alarm }) {
  const words = useWords();
  return (
    <li data-hidden={alarm.alarm_id}>
      <button type="button" onClick={() => open(alarm)}>
        <span class={`tag ${alarm.alarm_class}`}>{words.say(`class.${alarm.alarm_class}`)}</span>
        <span class="grow">{words.say("common.at", { text: words.of(alarm.text), place: words.of(alarm.place) })}</span>
        <span class="state">{words.say(`state.${alarm.state}`)}</span>
      </button>
      <HiddenBy alarm={alarm} />
    </li>
  );
}

/** All that is out of service about a subject, which goes out and comes back as a whole. */
function OutOfService({ subject, alarms, open }: Props & { subject: string; alarms: Alarm[] }) {
  const words = useWords();
  const { facts } = useScreen();
  const { live, moment } = useDesk();
  const [asked, setAsked] = useState<"prolong" | "return" | null>(null);
  const [first] = alarms as [Alarm];
  const close = (): void => setAsked(null);
  const ends = alarms.flatMap(({ out_of_service }) => out_of_service?.until_time ?? []).sort();
  const label = subjectLabel(words, facts, subject);
  return (
    <li class="outage" data-outage={subject}>
      <p class="outage-head">
        <b>{label}</b>
        {ends[0] && <span>{words.say("outage.until", { until: moment(ends[0], first.site) })}</span>}
        {alarms.some((alarm) => alarm.out_of_service?.reminded) && (
          <span class="reminder">{words.say("outage.reminded")}</span>
        )}
        <span class="grow" />
        <button type="button" class="plain" disabled={!live} onClick={() => setAsked("prolong")}>
          {words.say("outage.prolong")}
        </button>
        <button type="button" class="plain" disabled={!live} onClick={() => setAsked("return")}>
          {words.say("outage.return")}
        </button>
      </p>
      <ol>
        {alarms.map((alarm) => (
          <HiddenAlarm key={alarm.alarm_id} alarm={alarm} open={open} />
        ))}
      </ol>
      {asked === "prolong" && (
        <OutOfServiceDialog
          subject={subject}
          rule={alarms.length === 1 ? first.rule : null}
          present={first.out_of_service}
          close={close}
        />
      )}
      {asked === "return" && <ReturnDialog subject={subject} alarmId={null} close={close} />}
    </li>
  );
}
