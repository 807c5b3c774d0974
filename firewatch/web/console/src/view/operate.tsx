import { useState } from "preact/hooks";

import { actuate, type Action, type DeviceView, type Parameter, type Value } from "../api";
import { deviceKey } from "../facts";
import { unitSign } from "../format";
import { useScreen } from "../screen";
import { useWords } from "../text";
import { CommandChip } from "./command-chip";
import { Dialog } from "./dialog";
import { LONGEST_REASON } from "./hiding";
import { Trouble, useRequest } from "./use-request";

/** What an operator may ask of some devices: each with what it was asked last and how far that is. */
export function Operate({ devices }: { devices: readonly DeviceView[] }) {
  return (
    <ul class="operate">
      {devices.map((device) => (
        <Operated key={deviceKey(device)} device={device} />
      ))}
    </ul>
  );
}

function Operated({ device }: { device: DeviceView }) {
  const words = useWords();
  const { facts } = useScreen();
  const name = deviceKey(device);
  const newest = facts.newestCommand(name);
  return (
    <li data-actuator={name}>
      <span class="name">{words.of(device.label)}</span>
      <ul class="commands">{newest && <CommandChip record={newest} />}</ul>
      <span class="buttons">
        {facts.actionsOf(device)?.map((action) => <ActionButton key={action.name} device={device} action={action} />)}
      </span>
    </li>
  );
}

/** It says everything by itself: a press is enough, since a false hold has to be over within 3 s. */
const isPlain = ({ parameters, linkage }: Action): boolean =>
  !linkage && (parameters ?? []).every((parameter) => parameter.default !== null);

function ActionButton({ device, action }: { device: DeviceView; action: Action }) {
  const words = useWords();
  const { live } = useScreen();
  const { ask, asking, trouble } = useRequest();
  const [formed, setFormed] = useState(false);
  const name = deviceKey(device);
  const label = words.of(action.label);
  const hasForm = !isPlain(action) || (action.parameters ?? []).length > 0;
  return (
    <>
      {isPlain(action) && (
        <button
          type="button"
          class="plain"
          disabled={asking || !live}
          data-action={action.name}
          onClick={() => ask((operator) => actuate(operator, name, { action: action.name, parameters: {}, reason: "" }))}
        >
          {label}
        </button>
      )}
      {hasForm && (
        <button
          type="button"
          class={action.linkage ? "plain linkage" : "plain"}
          disabled={!live}
          data-form={action.name}
          title={words.say("operate.form", { action: label })}
          onClick={() => setFormed(true)}
        >
          {isPlain(action) ? "…" : `${label} …`}
        </button>
      )}
      <Trouble trouble={trouble} />
      {formed && (
        <Dialog title={words.say("operate.title", { action: label, device: words.of(device.label) })} close={() => setFormed(false)}>
          <ActionForm
            action={action}
            parameters={action.parameters ?? []}
            send={(operator, parameters, reason) => actuate(operator, name, { action: action.name, parameters, reason })}
            close={() => setFormed(false)}
          />
        </Dialog>
      )}
    </>
  );
}

interface FormProps {
  action: Action;
  parameters: readonly Parameter[];
  /** False while something outside the form is missing. */
  isReady?: boolean;
  send(operator: string, parameters: Record<string, Value>, reason: string): Promise<unknown>;
  close(): void;
}

/** A form made from the grammar of an action; fire linkage asks for a reason and says what it is. */
export function ActionForm({ action, parameters, isReady = true, send, close }: FormProps) {
  const words = useWords();
  const { live } = useScreen();
  const { ask, asking, trouble } = useRequest();
  const [given, setGiven] = useState<Record<string, Value>>(() => defaults(parameters));
  const [reason, setReason] = useState("");
  const missing = parameters.some(({ name, required }) => required && given[name] === undefined);
  const label = words.of(action.label);
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        ask((operator) => send(operator, given, reason.trim()), close);
      }}
    >
      {parameters.map((parameter) => (
        <Field
          key={parameter.name}
          parameter={parameter}
          value={given[parameter.name]}
          give={(value) => setGiven(changed(given, parameter.name, value))}
        />
      ))}
      {action.linkage && (
        <div class="linkage-warning">
          <p>{words.say("operate.linkage", { action: label })}</p>
          <label>
            {words.say("hide.reason")}
            <input maxLength={LONGEST_REASON} value={reason} onInput={(event) => setReason(event.currentTarget.value)} />
          </label>
        </div>
      )}
      <Trouble trouble={trouble} />
      <button
        type="submit"
        class={action.linkage ? "main danger" : "main"}
        disabled={asking || !live || !isReady || missing || (action.linkage && !reason.trim())}
      >
        {label}
      </button>
    </form>
  );
}

const defaults = (parameters: readonly Parameter[]): Record<string, Value> =>
  Object.fromEntries(parameters.flatMap(({ name, default: value }) => (value === null ? [] : [[name, value]])));

function changed(given: Record<string, Value>, name: string, value: Value | undefined): Record<string, Value> {
  const { [name]: _, ...others } = given;
  return value === undefined ? others : { ...others, [name]: value };
}

interface FieldProps {
  parameter: Parameter;
  value: Value | undefined;
  /** Undefined: it is left to the device. */
  give(value: Value | undefined): void;
}

function Field({ parameter, value, give }: FieldProps) {
  const words = useWords();
  const { name, type, unit, range, whole, choices, longest, required } = parameter;
  const label = `${words.of(parameter.label)}${unit ? ` (${unitSign(unit)})` : ""}`;
  switch (type) {
    case "boolean":
      return (
        <label class="check">
          <input type="checkbox" checked={value === true} onChange={(event) => give(event.currentTarget.checked)} /> {label}
        </label>
      );
    case "choice":
      return (
        <label>
          {label}
          <select name={name} value={String(value ?? "")} onChange={(event) => give(event.currentTarget.value || undefined)}>
            {!required && <option value="">{words.say("operate.unset")}</option>}
            {choices.map((choice) => (
              <option key={choice} value={choice}>
                {words.word("choice", choice)}
              </option>
            ))}
          </select>
        </label>
      );
    case "number":
      return (
        <label>
          {label}
          {range && <small> {words.say("operate.range", { from: range[0], to: range[1] })}</small>}
          <input
            type="number"
            name={name}
            {...(range ? { min: range[0], max: range[1] } : {})}
            step={whole ? 1 : "any"}
            required={required}
            value={typeof value === "number" ? value : ""}
            onInput={(event) => give(event.currentTarget.value === "" ? undefined : event.currentTarget.valueAsNumber)}
          />
        </label>
      );
    case "text":
      return (
        <label>
          {label}
          <textarea
            name={name}
            rows={2}
            maxLength={longest}
            required={required}
            value={String(value ?? "")}
            onInput={(event) => give(event.currentTarget.value || undefined)}
          />
        </label>
      );
  }
}
