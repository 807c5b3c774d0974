// Drills: what can be rehearsed, the one that goes on, and what those before have shown.

import { useState } from "preact/hooks";

import { drillPlans, drills, startDrill, type Drill, type DrillPlan } from "../drills";
import { age, milliseconds } from "../format";
import { useDesk, useScreen } from "../screen";
import { useWords } from "../text";
import { Dialog } from "./dialog";
import { DrillShown } from "./drill-report";
import { DeviceName, ExpectationText, useReadingText } from "./drill-words";
import { useAsked } from "./use-asked";
import { Trouble, useRequest } from "./use-request";
import { useSubject } from "./use-view";

const PLANS_EVERY_MS = 5_000;
const DRILLS_EVERY_MS = 2_000;
const LISTED = 50;

export function DrillsPage() {
  const words = useWords();
  const { world } = useScreen();
  const chosen = useSubject();
  const plans = useAsked(drillPlans, "plans", PLANS_EVERY_MS);
  const past = useAsked(() => drills(LISTED), "drills", DRILLS_EVERY_MS);
  const running = world.drill?.drill.drill_id ?? null;
  const shown = chosen ?? running ?? past.answer?.[0]?.drill_id ?? null;
  const labels = new Map(plans.answer?.map(({ plan, label }) => [plan, label]));
  return (
    <main class="drills" aria-label={words.say("drills.title")}>
      <section class="panel scroll" aria-label={words.say("drills.plans")}>
        <div class="block">
          <h2>{words.say("drills.plans")}</h2>
          {!plans.answer && <p class="hint">{words.say(plans.failed ? "drills.unknown" : "room.asking")}</p>}
          {plans.answer?.length === 0 && <p class="hint">{words.say("drills.noPlans")}</p>}
          <ul class="plans">
            {plans.answer?.map((plan) => (
              <Plan key={plan.plan} plan={plan} busy={running !== null} again={past.again} />
            ))}
          </ul>
        </div>
        <div class="block" data-past>
          <h2>{words.say("drills.past")}</h2>
          {past.answer?.length === 0 && <p class="hint">{words.say("drills.none")}</p>}
          {!past.answer && <p class="hint">{words.say(past.failed ? "log.failed" : "room.asking")}</p>}
          <ol class="rows">
            {past.answer?.map((one) => {
              const label = labels.get(one.plan);
              return (
                <PastDrill
                  key={one.drill_id}
                  drill={one}
                  label={label ? words.of(label) : one.plan}
                  shown={one.drill_id === shown}
                />
              );
            })}
          </ol>
        </div>
      </section>
      {shown === null ? (
        <section class="block">
          <p class="nothing">{words.say("drills.choose")}</p>
        </section>
      ) : (
        <DrillShown key={shown} drillId={shown} />
      )}
    </main>
  );
}

function PastDrill({ drill, label, shown }: { drill: Drill; label: string; shown: boolean }) {
  const words = useWords();
  const { moment } = useDesk();
  return (
    <li data-drill={drill.drill_id}>
      <a class="row" href={`#drills/${encodeURIComponent(drill.drill_id)}`} aria-current={shown ? "true" : undefined}>
        <span class="grow">{label}</span>
        <span class={drill.ended_time === null ? "going" : "resting"}>
          {words.say(drill.outcome === "" ? "drills.goesOn" : `outcome.drill.${drill.outcome}`)}
        </span>
        <time>{moment(drill.begun_time)}</time>
      </a>
    </li>
  );
}

function Plan({ plan, busy, again }: { plan: DrillPlan; busy: boolean; again(): void }) {
  const words = useWords();
  const { live } = useDesk();
  const [asking, setAsking] = useState(false);
  return (
    <li data-plan={plan.plan}>
      <div>
        <b>{words.of(plan.label)}</b>
        <span class="resting">
          {words.say("drills.planFacts", {
            asked: plan.may_ask.length,
            told: plan.may_tell.length,
            longest: age(words, milliseconds(plan.longest)),
          })}
        </span>
      </div>
      <button type="button" class="plain" disabled={busy || !live} onClick={() => setAsking(true)}>
        {words.say("drills.start")}
      </button>
      {asking && <StartDialog plan={plan} close={() => setAsking(false)} again={again} />}
    </li>
  );
}

/** Nobody starts a drill without having read what of it will really happen. */
function StartDialog({ plan, close, again }: { plan: DrillPlan; close(): void; again(): void }) {
  const words = useWords();
  const { ask, asking, trouble } = useRequest();
  const readingText = useReadingText(plan.site);
  const told = [...Map.groupBy(plan.readings, readingText).keys()];
  return (
    <Dialog title={words.say("drills.startTitle", { plan: words.of(plan.label) })} close={close}>
      <div class="really">
        <h3>{words.say("drills.reallyAsked")}</h3>
        {plan.may_ask.length === 0 && <p class="resting">{words.say("drills.nothingAsked")}</p>}
        <ul>
          {plan.may_ask.toSorted().map((device) => (
            <li key={device}>
              <DeviceName device={device} />
            </li>
          ))}
        </ul>
        <h3>{words.say("drills.reallyTold")}</h3>
        {plan.may_tell.length === 0 && <p class="resting">{words.say("drills.nobodyTold")}</p>}
        <ul>
          {plan.may_tell.toSorted().map((target) => (
            <li key={target}>{target}</li>
          ))}
        </ul>
      </div>
      <h3>{words.say("drills.played")}</h3>
      <ul class="plain-list">
        {told.map((text) => (
          <li key={text}>{text}</li>
        ))}
      </ul>
      <h3>{words.say("drills.expected")}</h3>
      <ul class="plain-list">
        {plan.expect.map((expectation, place) => (
          <li key={place}>
            <ExpectationText expectation={expectation} />{" "}
            <span class="resting">
              {words.say("drills.within", { time: age(words, milliseconds(expectation.within)) })}
            </span>
          </li>
        ))}
      </ul>
      <p class="hint">{words.say("drills.startHint", { longest: age(words, milliseconds(plan.longest)) })}</p>
      <Trouble trouble={trouble} />
      <button
        type="button"
        class="main"
        disabled={asking}
        onClick={() =>
          ask(
            (operator) => startDrill(operator, plan.plan),
            () => {
              location.hash = "#drills";
              again();
              close();
            },
          )
        }
      >
        {words.say("drills.startNow")}
      </button>
    </Dialog>
  );
}
