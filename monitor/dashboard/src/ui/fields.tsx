import { useId, type ReactNode } from "react";
import { Icon } from "./icon";

const BOX = "w-full rounded-lg border bg-card px-3 text-sm text-ink placeholder:text-faint";

interface Common {
  label: string;
  hint?: ReactNode;
  problem?: string | null;
  hideLabel?: boolean;
}

function Frame(props: Common & { id: string; children: ReactNode }): ReactNode {
  return (
    <div className="min-w-0">
      <label htmlFor={props.id} className={props.hideLabel ? "sr-only" : "mb-1 block text-xs font-medium text-soft"}>
        {props.label}
      </label>
      {props.children}
      {props.problem ? (
        <p id={`${props.id}-problem`} className="mt-1 text-xs font-medium text-bad">
          {props.problem}
        </p>
      ) : props.hint !== undefined ? (
        <p id={`${props.id}-hint`} className="mt-1 text-xs text-faint">
          {props.hint}
        </p>
      ) : null}
    </div>
  );
}

function described(id: string, props: Common): { "aria-describedby"?: string; "aria-invalid"?: true } {
  if (props.problem) return { "aria-describedby": `${id}-problem`, "aria-invalid": true };
  return props.hint !== undefined ? { "aria-describedby": `${id}-hint` } : {};
}

export function TextField(
  props: Common & {
    value: string;
    onChange: (value: string) => void;
    type?: "text" | "password" | "search";
    lines?: number;
    placeholder?: string;
    autoComplete?: string;
    inputMode?: "decimal" | "text";
    mono?: boolean;
    disabled?: boolean;
  },
): ReactNode {
  const id = useId();
  const shared = {
    id,
    value: props.value,
    placeholder: props.placeholder,
    disabled: props.disabled,
    autoComplete: props.autoComplete ?? "off",
    spellCheck: false,
    className: `${BOX} ${props.problem ? "border-bad" : "border-edge"} ${props.mono ? "font-mono" : ""}`,
    ...described(id, props),
  };
  return (
    <Frame {...props} id={id}>
      {props.lines !== undefined ? (
        <textarea
          {...shared}
          rows={props.lines}
          className={`${shared.className} py-2`}
          onChange={(event) => props.onChange(event.target.value)}
        />
      ) : (
        <div className="relative">
          {props.type === "search" ? (
            <Icon name="search" size={16} className="pointer-events-none absolute top-3 left-3 text-faint" />
          ) : null}
          <input
            {...shared}
            type={props.type ?? "text"}
            inputMode={props.inputMode}
            className={`${shared.className} h-10 ${props.type === "search" ? "pl-9" : ""}`}
            onChange={(event) => props.onChange(event.target.value)}
          />
        </div>
      )}
    </Frame>
  );
}

export function SelectField(
  props: Common & {
    value: string;
    onChange: (value: string) => void;
    options: readonly { value: string; label: string }[];
    disabled?: boolean;
  },
): ReactNode {
  const id = useId();
  return (
    <Frame {...props} id={id}>
      <div className="relative">
        <select
          id={id}
          value={props.value}
          disabled={props.disabled}
          className={`${BOX} h-10 appearance-none border-edge pr-9`}
          onChange={(event) => props.onChange(event.target.value)}
          {...described(id, props)}
        >
          {props.options.map((option) => (
            <option key={option.value} value={option.value}>
              {option.label}
            </option>
          ))}
        </select>
        <Icon name="down" size={14} className="pointer-events-none absolute top-3.5 right-3 text-faint" />
      </div>
    </Frame>
  );
}

export function Toggle(props: { label: string; checked: boolean; onChange: (checked: boolean) => void }): ReactNode {
  return (
    <button
      type="button"
      role="switch"
      aria-checked={props.checked}
      onClick={() => props.onChange(!props.checked)}
      className="inline-flex min-h-10 items-center gap-2.5 text-sm font-medium text-soft hover:text-ink"
    >
      <span
        className={`relative h-5 w-9 rounded-full border transition-colors ${props.checked ? "border-accent bg-accent" : "border-edge bg-sunken"}`}
        aria-hidden="true"
      >
        <span
          className={`absolute top-0.5 size-3.5 rounded-full transition-all ${props.checked ? "left-4.5 bg-on-accent" : "left-0.5 bg-edge"}`}
        />
      </span>
      {props.label}
    </button>
  );
}
