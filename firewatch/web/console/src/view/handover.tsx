// What the next shift has to know at a seat, and handing over to it.

import { useState } from "preact/hooks";

import type { Alarm } from "../api";
import { ALARM_LISTS, handOver, handoverPage, type AlarmListName, type Handover } from "../control-room";
import { useDesk } from "../screen";
import { useWords, type Words } from "../text";
import { inOrder } from "../world";
import { AlarmName } from "./alarm-name";
import { Dialog } from "./dialog";
import { Trouble, useRequest } from "./use-request";

const LONGEST_NAME = 64;
const LONGEST_REMARKS = 2_000;
const LISTED = 100;

const LISTS = [...ALARM_LISTS, "commands", "parts", "cameras"] as const;
type ListName = (typeof LISTS)[number];
const isAlarms = (name: ListName): name is AlarmListName => (ALARM_LISTS as readonly string[]).includes(name);

/** Whoever takes over asks after these first. */
const PRESSING: readonly ListName[] = ["unacknowledged", "commands", "parts", "cameras"];

export function HandoverBlock({ state, again }: { state: Handover; again(): void }) {
  const words = useWords();
  const { live } = useDesk();
  const [opened, setOpened] = useState<ListName | null>(null);
  const [handing, setHanding] = useState(false);
  return (
    <section class="block" data-handover>
      <header>
        <h2>{words.say("hand.title")}</h2>
        <span class="buttons">
          <a class="plain" href={handoverPage(state.seat.id, words.lang)} target="_blank" rel="noopener">
            {words.say("hand.print")}
          </a>
          <button type="button" class="plain strong" disabled={!live} onClick={() => setHanding(true)}>
            {words.say("hand.over")}
          </button>
        </span>
      </header>
      {!state.complete && (
        <p class="trouble-text" role="alert">
          {words.say("hand.incomplete")}
        </p>
      )}
      <ul class="figures beside">
        {LISTS.map((name) => {
          const count = state[name].length;
          const pressing = count > 0 && PRESSING.includes(name);
          return (
            <li key={name}>
              <button
                type="button"
                data-list={name}
                class={`${count === 0 ? "zero" : ""} ${pressing ? "pressing" : ""}`}
                aria-expanded={opened === name}
                disabled={count === 0}
                onClick={() => setOpened(opened === name ? null : name)}
              >
                <b>{count}</b>
                <span>{words.say(`hand.${name}`)}</span>
              </button>
            </li>
          );
        })}
      </ul>
      {opened !== null && state[opened].length > 0 && (
        <div class="opened-list">
          <h3>{words.say(`hand.${opened}`)}</h3>
          <List state={state} name={opened} />
        </div>
      )}
      {handing && (
        <HandOverDialog
          state={state}
          close={() => setHanding(false)}
          done={() => {
            setHanding(false);
            again();
          }}
        />
      )}
    </section>
  );
}

function List({ state, name }: { state: Handover; name: ListName }) {
  const words = useWords();
  const { moment, action } = useDesk();
  if (isAlarms(name)) {
    const alarms = inOrder(state[name]);
    return (
      <ul class="listed">
        {alarms.slice(0, LISTED).map((alarm) => (
          <li key={alarm.alarm_id}>
            <AlarmName alarmId={alarm.alarm_id} />
            <span class="resting">{remark(words, moment, name, alarm)}</span>
            <time>{moment(alarm.onset_time, alarm.site)}</time>
          </li>
        ))}
        {alarms.length > LISTED && <li class="resting">{words.say("hand.andMore", { n: alarms.length - LISTED })}</li>}
      </ul>
    );
  }
  if (name === "commands") {
    return (
      <ul class="listed">
        {state.commands.slice(0, LISTED).map(({ command, state: reached }) => {
          const label = action(command.device, command.action)?.label;
          return (
            <li key={command.command_id}>
              <span>
                {label ? words.of(label) : words.word("action", command.action)} <code>{command.device}</code>
              </span>
              <span class="resting">{words.say(`reached.${reached}`)}</span>
              <time>{moment(command.issued_time)}</time>
            </li>
          );
        })}
      </ul>
    );
  }
  return (
    <ul class="listed">
      {name === "parts"
        ? state.parts.map((part) => (
            <li key={part.name}>
              <span>{words.word("part", part.name)}</span>
              <span class="resting technical">{part.detail}</span>
            </li>
          ))
        : state.cameras.map((camera) => (
            <li key={`${camera.site}/${camera.device}`}>
              <span>{words.of(camera.label)}</span>
              <code class="resting">{`${camera.site}/${camera.device}`}</code>
            </li>
          ))}
    </ul>
  );
}

/** Who had a hand in it, until when, and why. */
function remark(words: Words, moment: (instant: string, site?: string) => string, name: AlarmListName, alarm: Alarm): string {
  const { shelf, out_of_service: out, site } = alarm;
  const parts: (string | null | undefined | false)[] =
    name === "shelved" && shelf
      ? [words.say("hand.until", { time: moment(shelf.until_time, site) }), shelf.by, shelf.reason]
      : name === "out_of_service" && out
        ? [out.until_time && words.say("hand.until", { time: moment(out.until_time, site) }), out.by, out.work_order, out.reason]
        : [alarm.acknowledged_by, alarm.acknowledge_comment];
  return parts.filter(Boolean).join(" · ");
}

interface HandOverProps {
  state: Handover;
  close(): void;
  done(): void;
}

function HandOverDialog({ state, close, done }: HandOverProps) {
  const words = useWords();
  const { operator, setOperator } = useDesk();
  const { ask, asking, trouble } = useRequest();
  const [from, setFrom] = useState(operator ?? "");
  const [to, setTo] = useState("");
  const [remarks, setRemarks] = useState("");
  const going = from.trim();
  const coming = to.trim();
  const left = LISTS.filter((name) => state[name].length > 0);
  return (
    <Dialog title={words.say("hand.overTitle", { seat: words.of(state.seat.label) })} close={close}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          ask(
            () => handOver(state.seat.id, going, coming, remarks.trim()),
            () => {
              setOperator(coming);
              done();
            },
          );
        }}
      >
        <p class="left-over">
          {left.length === 0
            ? words.say("hand.nothing")
            : left.map((name) => (
                <span key={name} class={PRESSING.includes(name) ? "pressing" : ""}>
                  <b>{state[name].length}</b> {words.say(`hand.${name}`)}
                </span>
              ))}
        </p>
        <div class="pair">
          <label>
            {words.say("hand.from")}
            <input maxLength={LONGEST_NAME} value={from} onInput={(event) => setFrom(event.currentTarget.value)} />
          </label>
          <label>
            {words.say("hand.to")}
            <input autofocus maxLength={LONGEST_NAME} value={to} onInput={(event) => setTo(event.currentTarget.value)} />
          </label>
        </div>
        <label>
          {words.say("hand.remarks")}
          <textarea
            rows={4}
            maxLength={LONGEST_REMARKS}
            value={remarks}
            onInput={(event) => setRemarks(event.currentTarget.value)}
          />
        </label>
        <p class="hint">{words.say("hand.hint")}</p>
        <Trouble trouble={trouble} />
        <button type="submit" class="main" disabled={!going || !coming || asking}>
          {words.say("hand.write")}
        </button>
      </form>
    </Dialog>
  );
}
