import { useMemo, useState, type ReactNode } from "react";
import { useSaid } from "../i18n";
import { useAsk } from "../state/ask";
import { Badge, Button, Card, Empty, Loading, Trouble, type Tone } from "../ui/basic";
import { SelectField, TextField } from "../ui/fields";

const LEVELS = ["debug", "info", "warning", "error", "critical"];
const PATH = "/api/logs?most=1000";
const TONES: Record<string, Tone> = { warning: "warn", error: "bad", critical: "bad" };

interface Line {
  key: number;
  ts: string;
  level: string;
  event: string;
  logger: string;
  rest: string;
}

// What was told to people stands in the log as one event: message topic=opened text='Opened ...'.
const TOLD = /^message topic=(\w+) text=(['"])(.*)\2$/s;

/** A line of the log; one that is not JSON is shown as it is. */
function read(text: string, key: number): Line {
  try {
    const { ts, level, event, logger, ...rest } = JSON.parse(text) as Record<string, unknown>;
    const told = TOLD.exec(String(event ?? ""));
    const more = Object.entries(rest).map(([name, value]) => `${name}=${typeof value === "string" ? value : JSON.stringify(value)}`);
    return {
      key,
      ts: String(ts ?? ""),
      level: String(level ?? "info"),
      event: told?.[3]?.replaceAll("\\'", "'") ?? String(event ?? ""),
      logger: told?.[1] ?? String(logger ?? ""),
      rest: more.join(" "),
    };
  } catch (error) {
    return { key, ts: "", level: "info", event: text, logger: "", rest: String(error) };
  }
}

export function Logs(): ReactNode {
  const { t, w } = useSaid();
  const [least, setLeast] = useState("info");
  const [find, setFind] = useState("");
  const asked = useAsk<string[]>(PATH);
  const lines = useMemo(() => (asked.data ?? []).map(read).reverse(), [asked.data]);
  const needle = find.trim().toLowerCase();
  const shown = lines.filter(
    (line) =>
      LEVELS.indexOf(line.level) >= LEVELS.indexOf(least) &&
      (!needle || `${line.event} ${line.rest} ${line.logger}`.toLowerCase().includes(needle)),
  );
  return (
    <Card
      id="logs"
      title={t("nav.logs")}
      note={t("logs.machine_time")}
      flush
      aside={
        <Button small icon="scan" disabled={asked.busy} onClick={asked.again}>
          {t("logs.follow")}
        </Button>
      }
    >
      <div className="grid grid-cols-1 gap-3 px-5 pb-4 sm:grid-cols-[2fr_1fr]">
        <TextField type="search" label={t("logs.find")} value={find} onChange={setFind} />
        <SelectField
          label={t("logs.level")}
          value={least}
          onChange={setLeast}
          options={LEVELS.map((level) => ({ value: level, label: t("logs.and_above", { level: w(level) }) }))}
        />
      </div>
      {asked.data === null ? (
        asked.problem ? <Trouble problem={asked.problem} path={PATH} /> : <Loading />
      ) : shown.length === 0 ? (
        <Empty title={t("logs.none")} />
      ) : (
        <ol className="divide-y divide-line border-t border-line">
          {shown.map((line) => (
            <li key={line.key} className="px-5 py-2.5">
              <p className="flex flex-wrap items-baseline gap-x-3 gap-y-0.5 text-xs text-faint">
                <span className="num">{line.ts.replace("T", " ").slice(5, 19)}</span>
                <Badge tone={TONES[line.level] ?? "plain"}>{w(line.level)}</Badge>
                <span>{w(line.logger)}</span>
              </p>
              <p className="mt-1 font-mono text-xs leading-5 break-words">
                {line.event} <span className="text-soft">{line.rest}</span>
              </p>
            </li>
          ))}
        </ol>
      )}
    </Card>
  );
}
