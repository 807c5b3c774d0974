import { useState } from "preact/hooks";

import type { Alarm } from "../api";
import { useDesk, useScreen } from "../screen";
import { useWords, type Key } from "../text";
import { OutOfServiceDialog, ReturnDialog } from "./out-of-service";
import { sayTrouble, useCommand } from "./use-command";

export const LONGEST_REASON = 500;

/** In seconds; null is once, until the condition is over. A rule may allow less. */
const DURATIONS: readonly (readonly [Key, number | null])[] = [
  ["hide.10min", 600],
  ["hide.1h", 3_600],
  ["hide.8h", 28_800],
  ["hide.once", null],
];

/** What hides an alarm, in a few words; nothing for one that is not hidden. */
export function HiddenBy({ alarm }: { alarm: Alarm }) {
  const words = useWords();
  const { world, moment } = useScreen();
  const { shelf, out_of_service, suppressed_by } = alarm;
  const cause = suppressed_by === null ? undefined : world.alarms.get(suppressed_by);
  return (
    <ul class="hidden-by">
      {shelf && (
        <li>
          {words.say(shelf.one_shot ? "hidden.shelfOnce" : "hidden.shelf", {
            who: shelf.by,
            until: moment(shelf.until_time, alarm.site),
            reason: shelf.reason,
          })}
        </li>
      )}
      {out_of_service && (
        <li>
          {words.say(out_of_service.until_time ? "hidden.outOfService" : "hidden.outOfServiceOpen", {
            who: out_of_service.by,
            since: moment(out_of_service.since_time, alarm.site),
            until: out_of_service.until_time ? moment(out_of_service.until_time, alarm.site) : "",
            reason: out_of_service.reason,
          })}
          {out_of_service.work_order && <> · {words.say("hidden.workOrder", { order: out_of_service.work_order })}</>}
        </li>
      )}
      {suppressed_by && (
        <li>
          {words.say("hidden.suppressed", {
            cause: cause
              ? words.say("common.at", { text: words.of(cause.text), place: words.of(cause.place) })
              : suppressed_by,
          })}
        </li>
      )}
    </ul>
  );
}

/** Hide an alarm, with a reason, or show it again. */
export function Hiding({ alarm }: { alarm: Alarm }) {
  const words = useWords();
  const { live } = useDesk();
  const { send, sending, trouble } = useCommand(alarm);
  const [reason, setReason] = useState("");
  const [duration, setDuration] = useState(0);
  const [asked, setAsked] = useState<"out" | "return" | null>(null);
  const close = (): void => setAsked(null);
  const given = reason.trim();
  const seconds = DURATIONS[duration]?.[1] ?? null;
  const busy = sending !== null || !live;
  return (
    <>
      <form class="hiding" onSubmit={(event) => event.preventDefault()}>
        <HiddenBy alarm={alarm} />
        <label>
          {words.say("hide.reason")}
          <input
            maxLength={LONGEST_REASON}
            value={reason}
            onInput={(event) => setReason(event.currentTarget.value)}
          />
        </label>
        <label>
          {words.say("hide.duration")}
          <select value={duration} onChange={(event) => setDuration(event.currentTarget.selectedIndex)}>
            {DURATIONS.map(([key], index) => (
              <option key={key} value={index}>
                {words.say(key)}
              </option>
            ))}
          </select>
        </label>
        <p class="buttons">
          <button
            type="button"
            disabled={busy || !given}
            onClick={() => send({ verb: "shelve", reason: given, seconds })}
          >
            {words.say("hide.shelve")}
          </button>
          {alarm.shelf && (
            <button type="button" disabled={busy} onClick={() => send({ verb: "unshelve" })}>
              {words.say("hide.unshelve")}
            </button>
          )}
          <button type="button" disabled={!live} onClick={() => setAsked("out")}>
            {words.say(alarm.out_of_service ? "outage.prolongAsk" : "outage.ask")}
          </button>
          {alarm.out_of_service && (
            <button type="button" disabled={!live} onClick={() => setAsked("return")}>
              {words.say("hide.returnToService")}
            </button>
          )}
        </p>
        {trouble && (
          <p class="trouble-text" role="alert">
            {sayTrouble(words, trouble)}
          </p>
        )}
      </form>
      {asked === "out" && (
        <OutOfServiceDialog subject={alarm.subject} rule={alarm.rule} present={alarm.out_of_service} close={close} />
      )}
      {asked === "return" && <ReturnDialog subject={alarm.subject} alarmId={alarm.alarm_id} close={close} />}
    </>
  );
}
