// One decision: what it was about, what came of it, and every verdict with its figures.
import type { ReactNode } from "react";
import type { Decided, Target } from "../api/types";
import { figure } from "../format";
import { useSaid } from "../i18n";
import { Badge } from "../ui/basic";
import { Verdicts } from "../ui/verdict";

function isPlain(value: unknown): value is string | number | boolean {
  return ["string", "number", "boolean"].includes(typeof value) && value !== "";
}

function TargetLine(props: { target: Target }): ReactNode {
  const said = useSaid();
  const { instrument, ...rest } = props.target;
  return (
    <li className="flex flex-wrap items-baseline gap-x-4 gap-y-0.5 text-xs">
      {instrument ? <span className="font-medium">{instrument}</span> : null}
      {Object.entries(rest)
        .filter(([, value]) => isPlain(value))
        .map(([name, value]) => (
          <span key={name} className="flex gap-1.5">
            <span className="text-faint">{said.figure(name)}</span>
            <span className="num text-soft">
              {name === "reason" ? said.sentence(String(value)) : name === "purpose" ? said.w(String(value)) : figure(name, value as string, said.isZh)}
            </span>
          </span>
        ))}
    </li>
  );
}

export function DecisionBody(props: { decided: Decided }): ReactNode {
  const { t, sentence } = useSaid();
  const { decided } = props;
  return (
    <div className="space-y-3">
      {decided.reason ? <p className="text-soft">{sentence(decided.reason)}</p> : null}
      {decided.targets.length > 0 ? (
        <div>
          <h4 className="eyebrow mb-1">{t("decisions.acts")}</h4>
          <ul className="space-y-1">
            {decided.targets.map((target, index) => (
              <TargetLine key={`${target.instrument ?? ""} ${index}`} target={target} />
            ))}
          </ul>
        </div>
      ) : null}
      <Verdicts verdicts={decided.verdicts} />
      <p className="text-xs text-faint">{t("decisions.row", { seq: decided.seq })}</p>
    </div>
  );
}

/** "2 of 21 said no". */
export function Refusals(props: { decided: Decided }): ReactNode {
  const { t } = useSaid();
  const { verdicts } = props.decided;
  if (verdicts.length === 0) return <span className="text-faint">{t("decisions.no_verdicts")}</span>;
  const no = verdicts.filter((verdict) => !verdict.ok).length;
  return <Badge tone={no > 0 ? "plain" : "good"}>{t("decisions.refusals", { no, all: verdicts.length })}</Badge>;
}
