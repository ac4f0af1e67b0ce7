import type { ButtonHTMLAttributes, ReactNode } from "react";
import type { Problem } from "../api/client";
import { signed, signOf } from "../format";
import { useSaid } from "../i18n";
import { Icon, type IconName } from "./icon";

export type Tone = "plain" | "good" | "warn" | "bad" | "accent";

const TONES: Record<Tone, string> = {
  plain: "bg-sunken text-soft ring-1 ring-inset ring-line",
  good: "bg-good-soft text-good",
  warn: "bg-warn-soft text-warn",
  bad: "bg-bad-soft text-bad",
  accent: "bg-accent-soft text-accent",
};

export const TEXT: Record<Tone, string> = {
  plain: "text-ink",
  good: "text-good",
  warn: "text-warn",
  bad: "text-bad",
  accent: "text-accent",
};

export function Badge(props: { tone?: Tone; dot?: boolean; title?: string; children: ReactNode }): ReactNode {
  return (
    <span
      title={props.title}
      className={`inline-flex items-center gap-1.5 rounded-full px-2.5 py-0.5 text-xs font-medium whitespace-nowrap ${TONES[props.tone ?? "plain"]}`}
    >
      {props.dot ? <span className="size-1.5 rounded-full bg-current" aria-hidden="true" /> : null}
      {props.children}
    </span>
  );
}

/** A card with a heading. `flush` lets a table reach its edges. */
export function Card(props: {
  title?: ReactNode;
  note?: ReactNode;
  aside?: ReactNode;
  flush?: boolean;
  className?: string;
  id?: string;
  children: ReactNode;
}): ReactNode {
  return (
    <section
      className={`min-w-0 rounded-xl border border-line bg-card shadow-card ${props.className ?? ""}`}
      aria-labelledby={props.id}
    >
      {props.title !== undefined ? (
        <header
          className={`flex flex-wrap justify-between gap-x-4 gap-y-2 px-5 pt-4 pb-3 ${props.note === undefined ? "items-center" : "items-start"}`}
        >
          <div className="min-w-0">
            <h2 id={props.id} className="text-[0.9375rem] font-semibold tracking-tight">
              {props.title}
            </h2>
            {props.note !== undefined ? <p className="mt-0.5 text-xs text-faint">{props.note}</p> : null}
          </div>
          {props.aside}
        </header>
      ) : null}
      <div className={props.flush ? "pb-1" : props.title !== undefined ? "px-5 pb-5" : "p-5"}>{props.children}</div>
    </section>
  );
}

type ButtonKind = "plain" | "primary" | "danger" | "quiet";

const BUTTONS: Record<ButtonKind, string> = {
  plain: "border border-line bg-card text-ink hover:border-edge",
  primary: "border border-transparent bg-accent text-on-accent hover:opacity-90",
  danger: "border border-transparent bg-bad-fill text-white hover:opacity-90",
  quiet: "border border-transparent text-soft hover:bg-sunken hover:text-ink",
};

export function Button(
  props: { kind?: ButtonKind; icon?: IconName; small?: boolean } & ButtonHTMLAttributes<HTMLButtonElement>,
): ReactNode {
  const { kind = "plain", icon, small = false, className = "", children, ...rest } = props;
  return (
    <button
      type="button"
      {...rest}
      className={`inline-flex items-center justify-center gap-2 rounded-lg font-medium whitespace-nowrap transition-colors disabled:opacity-50 ${small ? "min-h-8 px-2.5 text-xs" : "min-h-10 px-3.5 text-sm"} ${BUTTONS[kind]} ${className}`}
    >
      {icon !== undefined ? <Icon name={icon} size={small ? 15 : 17} /> : null}
      {children}
    </button>
  );
}

/** A label over a figure, with a quiet line under it. */
export function Fact(props: {
  label: ReactNode;
  value: ReactNode;
  unit?: string;
  note?: ReactNode;
  tone?: Tone;
  large?: boolean;
}): ReactNode {
  return (
    <div className="min-w-0">
      <dt className="eyebrow">{props.label}</dt>
      <dd className="mt-0.5">
        <span
          className={`num font-semibold tracking-tight ${props.large ? "text-xl leading-8 sm:text-2xl" : "text-base"} ${TEXT[props.tone ?? "plain"]}`}
        >
          {props.value}
        </span>{" "}
        {props.unit !== undefined ? <span className="text-xs text-faint">{props.unit}</span> : null}
        {props.note !== undefined ? <span className="mt-0.5 block text-xs text-faint">{props.note}</span> : null}
      </dd>
    </div>
  );
}

/** A result in USDT: green when earned, red when lost. */
export function Amount(props: { value: string | number | null | undefined; className?: string }): ReactNode {
  const sign = signOf(props.value);
  const tone = sign > 0 ? "text-good" : sign < 0 ? "text-bad" : "";
  return <span className={`num ${tone} ${props.className ?? ""}`}>{signed(props.value)}</span>;
}

export function Empty(props: { title: ReactNode; children?: ReactNode }): ReactNode {
  return (
    <div className="px-5 py-8 text-center">
      <p className="font-medium text-soft">{props.title}</p>
      {props.children !== undefined ? <div className="mx-auto mt-1 max-w-md text-xs text-faint">{props.children}</div> : null}
    </div>
  );
}

export function Loading(): ReactNode {
  const { t } = useSaid();
  return (
    <p className="px-5 py-8 text-center text-faint" role="status">
      {t("loading")}…
    </p>
  );
}

/** What an answer says that is not the one asked for. */
export function Trouble(props: { problem: Problem; path: string }): ReactNode {
  const { t, either } = useSaid();
  const { problem } = props;
  const path = props.path.split("?")[0] ?? props.path;
  const text = problem.isMissing
    ? t("unavailable", { path })
    : problem.status === 0
      ? t("unreachable")
      : t("failed", { path, status: problem.status, detail: either(problem.detail, problem.zh) });
  return (
    <div className="px-5 py-6" role="status">
      <p className={`flex items-start gap-2 ${problem.isMissing ? "text-faint" : "text-warn"}`}>
        <Icon name="warn" className="mt-0.5" />
        <span className="min-w-0 break-words">{text}</span>
      </p>
    </div>
  );
}

/** Tabs of one page; the keys left and right walk through them. */
export function Tabs<T extends string>(props: {
  label: string;
  value: T;
  options: readonly { value: T; label: string }[];
  onChange: (value: T) => void;
}): ReactNode {
  const at = props.options.findIndex((option) => option.value === props.value);
  const step = (by: number, list: HTMLElement): void => {
    const next = (at + by + props.options.length) % props.options.length;
    const option = props.options[next];
    if (option === undefined) return;
    props.onChange(option.value);
    (list.children[next] as HTMLElement | undefined)?.focus();
  };
  return (
    <div
      role="tablist"
      aria-label={props.label}
      className="inline-flex gap-1 rounded-lg bg-sunken p-1"
      onKeyDown={(event) => {
        if (event.key === "ArrowRight") step(1, event.currentTarget);
        if (event.key === "ArrowLeft") step(-1, event.currentTarget);
      }}
    >
      {props.options.map((option) => {
        const chosen = option.value === props.value;
        return (
          <button
            key={option.value}
            type="button"
            role="tab"
            aria-selected={chosen}
            tabIndex={chosen ? 0 : -1}
            onClick={() => props.onChange(option.value)}
            className={`min-h-8 rounded-md px-3 text-sm font-medium ${chosen ? "bg-card text-ink shadow-sm" : "text-soft hover:text-ink"}`}
          >
            {option.label}
          </button>
        );
      })}
    </div>
  );
}
