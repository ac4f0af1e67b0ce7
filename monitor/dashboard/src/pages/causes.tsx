import type { ReactNode } from "react";
import type { CauseLine } from "../api/types";
import { useSaid } from "../i18n";
import { Badge } from "../ui/basic";
import { Moment, PermissionBadge } from "./words";

export function Causes(props: { causes: readonly CauseLine[] }): ReactNode {
  const { t, w, sentence } = useSaid();
  if (props.causes.length === 0) return <p className="mt-1 text-faint">{t("risk.no_causes")}</p>;
  return (
    <ul className="mt-2 space-y-2">
      {props.causes.map((cause) => (
        <li key={cause.cause} className="flex flex-wrap items-baseline gap-x-2.5 gap-y-1">
          <PermissionBadge level={cause.level} />
          <span className="font-medium">{w(cause.cause)}</span>
          <span className="min-w-0 break-words text-soft">{sentence(cause.reason)}</span>
          <span className="text-xs text-soft">
            <Moment atMs={cause.since_ms} age />
          </span>
          {cause.until_operator ? <Badge>{t("risk.until_operator")}</Badge> : null}
        </li>
      ))}
    </ul>
  );
}
