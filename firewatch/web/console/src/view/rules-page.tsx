// How the rules are: whether those on disk run, what shadow rules would say, what failed, and what the past would say.

import { useState } from "preact/hooks";

import {
  failures,
  reloadRules,
  reloads,
  rulesState,
  shadows,
  type Alarm,
  type RuleFailure,
  type RulesProblem,
  type RulesReload,
} from "../api";
import { age } from "../format";
import { useScreen } from "../screen";
import { useWords } from "../text";
import { Backtest } from "./backtest";
import { RuleDialog, WhyDialog } from "./explanation";
import { useAsked } from "./use-asked";

const ASKED_EVERY_MS = 2_000;
const RELOADS_SHOWN = 8;

export function RulesPage() {
  const words = useWords();
  return (
    <main class="rules">
      <section class="panel scroll" aria-label={words.say("rules.title")}>
        <Files />
        <Failures />
        <Shadows />
      </section>
      <section class="panel scroll" aria-label={words.say("backtest.title")}>
        <Backtest />
      </section>
    </main>
  );
}

/** Which rules run, what keeps those on disk from running, and the last changes. */
function Files() {
  const words = useWords();
  const { now, live, operator, nameOperator, time } = useScreen();
  const { answer, again } = useAsked(rulesState, "rules", ASKED_EVERY_MS);
  const told = useAsked(() => reloads(RELOADS_SHOWN), "reloads", ASKED_EVERY_MS);
  const [busy, setBusy] = useState(false);
  const [done, setDone] = useState<RulesReload | "failed" | null>(null);
  const problems = answer?.problems ?? [];

  const reload = async (name: string): Promise<void> => {
    setBusy(true);
    setDone(await reloadRules(name).catch(() => "failed" as const));
    setBusy(false);
    again();
    told.again();
  };

  return (
    <section class="block">
      <header>
        <h2>{words.say("rules.title")}</h2>
        <button
          type="button"
          class="plain"
          disabled={busy || !live}
          onClick={() => (operator ? void reload(operator) : nameOperator((name) => void reload(name)))}
        >
          {words.say(busy ? "rules.reloading" : "rules.reload")}
        </button>
      </header>
      {answer && (
        <p>
          {words.say("rules.running", { n: answer.count, since: time(answer.since) })}{" "}
          {problems.length === 0 && <span class="fine">{words.say("rules.inStep")}</span>}
        </p>
      )}
      {done && (
        <p role="status" class={done === "failed" || done.outcome === "refused" ? "trouble-text" : "fine"}>
          {words.say(done === "failed" ? "rules.reloadFailed" : `outcome.${done.outcome}`)}
        </p>
      )}
      {problems.length > 0 && (
        <div class="problems" role="alert">
          <p class="trouble-text">{words.say("rules.problems", { n: problems.length })}</p>
          <ol>
            {problems.map((problem) => (
              <Problem key={problem.text} problem={problem} />
            ))}
          </ol>
        </div>
      )}
      {told.answer && told.answer.length > 0 && (
        <details class="reloads">
          <summary>{words.say("rules.reloads")}</summary>
          <ol>
            {told.answer.map((one) => (
              <li key={one.time}>
                <time>{words.say("common.ago", { age: age(words, now - Date.parse(one.time)) })}</time>{" "}
                {words.say(`trigger.${one.trigger}`)} {one.by && <b class="technical">{one.by}</b>} ·{" "}
                <span class={one.outcome}>{words.say(`outcome.${one.outcome}`)}</span>
                {one.difference && <pre class="technical">{one.difference}</pre>}
              </li>
            ))}
          </ol>
        </details>
      )}
    </section>
  );
}

/** Where, what, and the way out, as `firewatch check` tells it. */
function Problem({ problem }: { problem: RulesProblem }) {
  const { file, line, where, what, hint } = problem;
  return (
    <li class="technical">
      <code>{line > 0 ? `${file}:${line}` : file}</code>
      <span>
        {where && <b>{where}: </b>}
        {what}
        {hint && <em>{hint}</em>}
      </span>
    </li>
  );
}

function Failures() {
  const words = useWords();
  const { time } = useScreen();
  const { answer } = useAsked(failures, "failures", ASKED_EVERY_MS);
  const [asked, setAsked] = useState<RuleFailure | null>(null);
  if (!answer || answer.length === 0) return null;
  return (
    <section class="block" data-failures>
      <h2>{words.say("rules.failed")}</h2>
      <p class="hint">{words.say("rules.failedHint")}</p>
      <ul class="rows">
        {answer.map((failure) => (
          <li key={`${failure.rule} ${failure.subject}`}>
            <button type="button" onClick={() => setAsked(failure)}>
              <i class="dot failed" aria-hidden="true" />
              <code>{failure.rule}</code>
              <code class="grow">{failure.subject}</code>
              <time>{time(failure.failed_time)}</time>
            </button>
          </li>
        ))}
      </ul>
      {asked && <RuleDialog rule={asked.rule} subject={asked.subject} close={() => setAsked(null)} />}
    </section>
  );
}

/** What shadow rules would have told people of: how often, and what would stand now. */
function Shadows() {
  const words = useWords();
  const { time } = useScreen();
  const { answer } = useAsked(shadows, "shadows", ASKED_EVERY_MS);
  const [opened, setOpened] = useState<Alarm | null>(null);
  if (!answer) return null;
  return (
    <section class="block" data-shadows>
      <h2>{words.say("shadow.title")}</h2>
      <p class="hint">{words.say(answer.rules.length > 0 ? "shadow.hint" : "shadow.none")}</p>
      {answer.rules.map(({ rule, count }) => {
        const alarms = answer.alarms.filter((alarm) => alarm.rule === rule);
        return (
          <div key={rule} class="shadow-rule" data-shadow={rule}>
            <p class="shadow-head">
              <code class="grow">{rule}</code>
              <b>{words.say("shadow.count", { n: count })}</b>
              <span class={alarms.length > 0 ? "" : "resting"}>{words.say("shadow.now", { n: alarms.length })}</span>
            </p>
            <ul class="rows">
              {alarms.map((alarm) => (
                <li key={alarm.alarm_id}>
                  <button type="button" title={words.say("explain.why")} onClick={() => setOpened(alarm)}>
                    <i class={`dot alarm ${alarm.alarm_class}`} aria-hidden="true" />
                    <span class="grow">{words.of(alarm.text)}</span>
                    <time>{time(alarm.onset_time, alarm.site)}</time>
                  </button>
                </li>
              ))}
            </ul>
          </div>
        );
      })}
      {opened && <WhyDialog alarm={opened} close={() => setOpened(null)} />}
    </section>
  );
}
