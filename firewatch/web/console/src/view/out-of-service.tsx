import { useState } from "preact/hooks";

import { returnAlarmToService, returnToService, takeOutOfService, type Maintenance } from "../api";
import type { Facts } from "../facts";
import { useScreen } from "../screen";
import { useWords, type Key, type Words } from "../text";
import { Dialog } from "./dialog";
import { LONGEST_REASON } from "./hiding";
import { Trouble, useRequest } from "./use-request";

const HOUR = 3_600;
const LONGEST_HOURS = 31 * 24;
const LONGEST_WORK_ORDER = 64;

/** Ends that people often need, in hours. Each maintenance has an end: nothing stays unwatched because it was forgotten. */
const ENDS: readonly (readonly [Key, number])[] = [
  ["outage.1h", 1],
  ["outage.4h", 4],
  ["outage.8h", 8],
  ["outage.24h", 24],
  ["outage.7d", 168],
];

/** What people call a `site/device` or `site/asset`. */
export function subjectLabel(words: Words, facts: Facts, subject: string): string {
  const [site, id] = subject.split("/");
  const label =
    facts.devices.get(subject)?.label ?? facts.sites.get(site ?? "")?.assets.find((asset) => asset.id === id)?.label;
  return label ? words.of(label) : subject;
}

interface Props {
  subject: string;
  /** The rule whose word alone may be meant; null where all that is said of the subject is. */
  rule: string | null;
  /** How it is out of service already: it is prolonged then. */
  present: Maintenance | null;
  close(): void;
}

export function OutOfServiceDialog({ subject, rule, present, close }: Props) {
  const words = useWords();
  const { facts, now, live, moment } = useScreen();
  const { ask, asking, trouble } = useRequest();
  const [isWhole, setWhole] = useState(rule === null);
  const [reason, setReason] = useState(present?.reason ?? "");
  const [workOrder, setWorkOrder] = useState(present?.work_order ?? "");
  const [hours, setHours] = useState<number | null>(null);
  const label = subjectLabel(words, facts, subject);
  const given = reason.trim();
  const isEnd = hours !== null && hours > 0 && hours <= LONGEST_HOURS;
  return (
    <Dialog title={words.say(present ? "outage.prolongTitle" : "outage.title", { subject: label })} close={close}>
      <p class="hint">{words.say("outage.means")}</p>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (!isEnd || !given) return;
          const seconds = Math.round(hours * HOUR);
          const outage = { subject, rule: isWhole ? null : rule, reason: given, work_order: workOrder.trim(), seconds };
          ask((name) => takeOutOfService(name, outage), close);
        }}
      >
        {rule !== null && (
          <fieldset class="choice">
            <legend>{words.say("outage.scope")}</legend>
            <label>
              <input type="radio" name="scope" checked={!isWhole} onChange={() => setWhole(false)} />
              <b>{words.say("outage.rule")}</b>
              <small>
                <code>{rule}</code>
              </small>
            </label>
            <label>
              <input type="radio" name="scope" checked={isWhole} onChange={() => setWhole(true)} />
              <b>{words.say("outage.whole", { subject: label })}</b>
            </label>
          </fieldset>
        )}
        <label>
          {words.say("hide.reason")}
          <input autofocus maxLength={LONGEST_REASON} value={reason} onInput={(event) => setReason(event.currentTarget.value)} />
        </label>
        <label>
          {words.say("outage.workOrder")}
          <input
            maxLength={LONGEST_WORK_ORDER}
            value={workOrder}
            onInput={(event) => setWorkOrder(event.currentTarget.value)}
          />
        </label>
        <fieldset class="presets">
          <legend>{words.say("outage.end")}</legend>
          {ENDS.map(([key, length]) => (
            <button
              key={key}
              type="button"
              class={hours === length ? "plain chosen" : "plain"}
              aria-pressed={hours === length}
              onClick={() => setHours(length)}
            >
              {words.say(key)}
            </button>
          ))}
          <label>
            {words.say("outage.hours")}
            <input
              type="number"
              min={0.25}
              max={LONGEST_HOURS}
              step={0.25}
              value={hours ?? ""}
              onInput={(event) => setHours(event.currentTarget.value === "" ? null : event.currentTarget.valueAsNumber)}
            />
          </label>
        </fieldset>
        <p class="hint">
          {isEnd ? words.say("outage.endsAt", { until: moment(now + hours * HOUR * 1_000, subject.split("/")[0]) }) : words.say("outage.noEnd")}
        </p>
        <Trouble trouble={trouble} />
        <button type="submit" class="main" disabled={!given || !isEnd || asking || !live}>
          {words.say(present ? "outage.prolong" : "hide.outOfService")}
        </button>
      </form>
    </Dialog>
  );
}

interface ReturnProps {
  subject: string;
  /** The alarm whose rule alone is to be back; null for all that is out of service about the subject. */
  alarmId: string | null;
  close(): void;
}

export function ReturnDialog({ subject, alarmId, close }: ReturnProps) {
  const words = useWords();
  const { facts, live } = useScreen();
  const { ask, asking, trouble } = useRequest();
  const [reason, setReason] = useState("");
  const given = reason.trim();
  return (
    <Dialog title={words.say("outage.returnTitle", { subject: subjectLabel(words, facts, subject) })} close={close}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (!given) return;
          ask(
            (name) =>
              alarmId === null ? returnToService(name, subject, given) : returnAlarmToService(name, alarmId, given),
            close,
          );
        }}
      >
        <label>
          {words.say("hide.reason")}
          <input autofocus maxLength={LONGEST_REASON} value={reason} onInput={(event) => setReason(event.currentTarget.value)} />
        </label>
        <Trouble trouble={trouble} />
        <button type="submit" class="main" disabled={!given || asking || !live}>
          {words.say("hide.returnToService")}
        </button>
      </form>
    </Dialog>
  );
}
