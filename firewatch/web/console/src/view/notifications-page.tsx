// Messages to people and systems outside: how each receiver is, what became of every message, and sending again.

import { useState } from "preact/hooks";

import {
  deliveries,
  DELIVERY_STATES,
  sendAgain,
  sendTest,
  targets,
  type Delivery,
  type DeliveryState,
  type Target,
} from "../notifications";
import { age, elapsed } from "../format";
import { useDesk, useNow } from "../screen";
import { useWords, type Words } from "../text";
import { AlarmName } from "./alarm-name";
import { useAsked } from "./use-asked";
import { Trouble, useRequest } from "./use-request";
import { useSubject } from "./use-view";

const ASKED_EVERY_MS = 2_000;
const LIMIT = 100;

export function NotificationsPage() {
  const words = useWords();
  const alarm = useSubject();
  const [target, setTarget] = useState<string | null>(null);
  const asked = useAsked(targets, "targets", ASKED_EVERY_MS);
  return (
    <main class="notifications" aria-label={words.say("notify.title")}>
      <section class="panel scroll" aria-label={words.say("notify.targets")}>
        <div class="block">
          <header>
            <h2>{words.say("notify.targets")}</h2>
            {asked.answer && <span class="resting">{words.say("notify.count", { n: asked.answer.length })}</span>}
          </header>
          {!asked.answer && <p class="hint">{words.say(asked.failed ? "log.failed" : "room.asking")}</p>}
          {asked.answer?.length === 0 && <p class="hint">{words.say("notify.noTargets")}</p>}
          <ul class="targets">
            {asked.answer?.map((one) => (
              <TargetRow
                key={one.target}
                target={one}
                chosen={one.target === target}
                choose={() => setTarget(one.target === target ? null : one.target)}
                again={asked.again}
              />
            ))}
          </ul>
        </div>
      </section>
      <Deliveries key={alarm ?? ""} alarm={alarm} target={target} showAll={() => setTarget(null)} />
    </main>
  );
}

/** How a receiver is, in one word. */
type Standing = "ready" | "failing" | "waiting";
const standing = ({ ready, waiting }: Target): Standing => (ready ? (waiting > 0 ? "waiting" : "ready") : "failing");

interface TargetProps {
  target: Target;
  chosen: boolean;
  choose(): void;
  again(): void;
}

function TargetRow({ target, chosen, choose, again }: TargetProps) {
  const words = useWords();
  const now = useNow();
  const { live } = useDesk();
  const { ask, asking, trouble } = useRequest();
  const [tested, setTested] = useState<Delivery | null>(null);
  const how = standing(target);
  const ago = (instant: string): string => words.say("common.ago", { age: age(words, now - Date.parse(instant)) });
  return (
    <li class={`target-row ${how}`} data-target={target.target}>
      <div class="target-head">
        <button type="button" class="target-name" aria-pressed={chosen} title={words.say("notify.only")} onClick={choose}>
          <i class="state-dot" aria-hidden="true" />
          <b>{target.target}</b>
        </button>
        <span class={`standing ${how}`}>{words.say(`target.${how}`)}</span>
        <button
          type="button"
          class="plain"
          disabled={asking || !live}
          onClick={() =>
            ask(
              async (operator) => setTested(await sendTest(operator, target.target)),
              again,
            )
          }
        >
          {words.say(asking ? "notify.testing" : "notify.test")}
        </button>
      </div>
      <p class="target-figures">
        <span>{words.word("channel", target.kind)}</span>
        <span>
          {words.say("notify.waiting")} <b>{target.waiting}</b>
        </span>
        <span>
          {words.say("notify.delivered")} <b>{target.delivered}</b>
        </span>
        <span class={target.dead > 0 ? "wrong" : ""}>
          {words.say("notify.dead")} <b>{target.dead}</b>
        </span>
        <span class="resting">
          {target.last_delivered_time
            ? words.say("notify.last", { ago: ago(target.last_delivered_time) })
            : words.say("notify.never")}
        </span>
      </p>
      {target.error && (
        <p class="target-error">
          {words.say("notify.failures", { n: target.failures })} <span class="technical">{target.error}</span>
          {target.next_attempt_time && Date.parse(target.next_attempt_time) > now && (
            <span class="resting">
              {" "}
              {words.say("notify.next", { age: age(words, Date.parse(target.next_attempt_time) - now) })}
            </span>
          )}
        </p>
      )}
      <Trouble trouble={trouble} />
      {tested && !asking && (
        <p class={tested.state === "delivered" ? "fine" : "trouble-text"} role="status">
          {tested.state === "delivered" ? words.say("notify.tested") : words.say("notify.notTested")}{" "}
          {tested.error && <small class="technical">{tested.error}</small>}
        </p>
      )}
    </li>
  );
}

interface DeliveriesProps {
  alarm: string | null;
  target: string | null;
  showAll(): void;
}

/** What became of every message: of one alarm, to one target, or all; what was given up comes first. */
function Deliveries({ alarm, target, showAll }: DeliveriesProps) {
  const words = useWords();
  const [state, setState] = useState<DeliveryState | null>(alarm === null ? "dead" : null);
  const filter = { state, target, alarm };
  const { answer, failed, again } = useAsked(() => deliveries(filter, LIMIT), `${state} ${target} ${alarm}`, ASKED_EVERY_MS);
  return (
    <section class="block deliveries" aria-label={words.say("notify.deliveries")}>
      <header>
        <h2>{words.say("notify.deliveries")}</h2>
        <div class="choices" role="group" aria-label={words.say("notify.state")}>
          {DELIVERY_STATES.map((one) => (
            <button key={one} type="button" aria-pressed={state === one} onClick={() => setState(one)}>
              {words.say(`delivery.${one}`)}
            </button>
          ))}
          <button type="button" aria-pressed={state === null} onClick={() => setState(null)}>
            {words.say("delivery.all")}
          </button>
        </div>
      </header>
      {(alarm !== null || target !== null) && (
        <p class="narrowed">
          {alarm !== null && (
            <span>
              {words.say("notify.ofAlarm")} <AlarmName alarmId={alarm} />
              <a href="#notifications">{words.say("notify.ofAll")}</a>
            </span>
          )}
          {target !== null && (
            <span>
              {words.say("notify.toTarget")} <b>{target}</b>
              <button type="button" class="text-button" onClick={showAll}>
                {words.say("notify.ofAll")}
              </button>
            </span>
          )}
        </p>
      )}
      <div class="scroll">
        {!answer && <p class="hint">{words.say(failed ? "log.failed" : "room.asking")}</p>}
        {answer?.length === 0 && <p class="nothing">{words.say(state === "dead" ? "notify.noDead" : "notify.none")}</p>}
        <ol class="messages">
          {answer?.map((one) => (
            <DeliveryRow key={one.delivery_id} delivery={one} again={again} about={alarm === null} />
          ))}
        </ol>
        {answer && answer.length >= LIMIT && <p class="hint">{words.say("notify.more", { n: LIMIT })}</p>}
      </div>
    </section>
  );
}

function DeliveryRow({ delivery, again, about }: { delivery: Delivery; again(): void; about: boolean }) {
  const words = useWords();
  const now = useNow();
  const { live, moment } = useDesk();
  const { ask, asking, trouble } = useRequest();
  return (
    <li class={delivery.state} data-delivery={delivery.delivery_id}>
      <time>{moment(delivery.created_time)}</time>
      <div class="message-what">
        <p>
          <b>{words.say(`told.${delivery.reason}`)}</b> <span class="resting">{words.say("notify.to")}</span> {delivery.target}
          {delivery.person && <span class="resting"> ({delivery.person})</span>}
          {delivery.plan && (
            <span class="resting"> · {words.say("notify.step", { plan: delivery.plan, step: delivery.step })}</span>
          )}
        </p>
        {delivery.alarm_id && about && (
          <p class="about-alarm">
            <AlarmName alarmId={delivery.alarm_id} />
            <a href={`#notifications/${encodeURIComponent(delivery.alarm_id)}`}>{words.say("notify.allOfIt")}</a>
          </p>
        )}
        {delivery.error && <p class="technical error">{delivery.error}</p>}
        <Trouble trouble={trouble} />
      </div>
      <span class={`delivery-state ${delivery.state}`}>
        {words.say(`delivery.${delivery.state}`)}
        <small>{became(words, now, delivery)}</small>
      </span>
      {delivery.state === "dead" ? (
        <button
          type="button"
          class="plain"
          disabled={asking || !live}
          onClick={() => ask((operator) => sendAgain(operator, delivery.delivery_id), again)}
        >
          {words.say("notify.sendAgain")}
        </button>
      ) : (
        <span />
      )}
    </li>
  );
}

/** How long it took, when it is tried next, or after how many attempts it was given up. */
function became(words: Words, now: number, delivery: Delivery): string {
  const { state, attempts, due_time, ended_time, next_attempt_time } = delivery;
  if (state === "delivered" && ended_time) return words.say("notify.took", { time: elapsed(words, due_time, ended_time) });
  if (state === "dead") return words.say("notify.attempts", { n: attempts });
  const next = Date.parse(next_attempt_time ?? due_time);
  if (state === "waiting" && next > now) return words.say("notify.next", { age: age(words, next - now) });
  return attempts > 0 ? words.say("notify.attempts", { n: attempts }) : "";
}
