import { createContext, useCallback, useContext, useEffect, useRef, useState, type ReactNode } from "react";
import { post, Problem } from "../api/client";
import type { Accepted, Status } from "../api/types";
import { shortUtc } from "../format";
import { useSaid } from "../i18n";
import { useStatus } from "../state/engine";
import { Badge, Button } from "../ui/basic";
import { Dialog } from "../ui/dialog";
import { TextField } from "../ui/fields";
import { Icon } from "../ui/icon";
import { commandsFor, commandTitle, type Command } from "./commands";

const SLOW_MS = 20_000;

type Open = { kind: "menu" } | { kind: "command"; command: Command } | null;

const OpenContext = createContext<(open: Open) => void>(() => undefined);

/** Opens the controls, or one command, from anywhere on the page. */
export function useControls(): { menu: () => void; command: (command: Command) => void } {
  const open = useContext(OpenContext);
  return { menu: () => open({ kind: "menu" }), command: (command) => open({ kind: "command", command }) };
}

export function ControlsProvider(props: { children: ReactNode }): ReactNode {
  const [open, setOpen] = useState<Open>(null);
  const close = useCallback(() => setOpen(null), []);
  return (
    <OpenContext.Provider value={setOpen}>
      {props.children}
      {open?.kind === "menu" ? <Menu onClose={close} onPick={(command) => setOpen({ kind: "command", command })} /> : null}
      {open?.kind === "command" ? <CommandDialog key={open.command.name} command={open.command} onClose={close} /> : null}
    </OpenContext.Provider>
  );
}

function Menu(props: { onClose: () => void; onPick: (command: Command) => void }): ReactNode {
  const said = useSaid();
  const commands = commandsFor(useStatus());
  return (
    <Dialog title={said.t("act.title")} onClose={props.onClose}>
      <ul className="space-y-2">
        {commands.map((command) => (
          <li key={command.name}>
            <button
              type="button"
              onClick={() => props.onPick(command)}
              className="flex w-full items-start gap-3 rounded-xl border border-line px-4 py-3 text-left transition-colors hover:border-edge hover:bg-sunken"
            >
              <Icon name={command.icon} className={`mt-0.5 ${command.danger ? "text-bad" : "text-soft"}`} />
              <span>
                <span className={`block font-semibold ${command.danger ? "text-bad" : ""}`}>{commandTitle(command, said)}</span>
                <span className="block text-xs text-soft">{said.t(command.text)}</span>
              </span>
            </button>
          </li>
        ))}
      </ul>
      <p className="mt-4 text-xs text-faint">{said.t("act.note")}</p>
    </Dialog>
  );
}

type Sent = { kind: "typing" } | { kind: "sending" } | { kind: "refused"; problem: Problem } | { kind: "sent"; accepted: Accepted };

function CommandDialog(props: { command: Command; onClose: () => void }): ReactNode {
  const said = useSaid();
  const { t } = said;
  const { command } = props;
  const status = useStatus();
  const before = useRef<Status>(status);
  const [reason, setReason] = useState("");
  const [typed, setTyped] = useState("");
  const [tried, setTried] = useState(false);
  const [sent, setSent] = useState<Sent>({ kind: "typing" });
  const reasonProblem = reason.trim().length < 3 || reason.trim().length > 200 ? t("act.reason_short") : null;
  const typedProblem = command.confirm && typed !== command.confirm ? t("act.mismatch", { word: command.confirm }) : null;

  const send = async (): Promise<void> => {
    setTried(true);
    if (reasonProblem !== null || typedProblem !== null) return;
    before.current = status;
    setSent({ kind: "sending" });
    try {
      const body = { ...command.body, reason: reason.trim(), ...(command.confirm ? { confirm: typed } : {}) };
      setSent({ kind: "sent", accepted: await post<Accepted>(command.path, body) });
    } catch (error) {
      setSent({ kind: "refused", problem: error instanceof Problem ? error : new Problem(0, "failed", String(error)) });
    }
  };

  if (sent.kind === "sent") {
    return (
      <Dialog title={commandTitle(command, said)} onClose={props.onClose}>
        <Outcome command={command} before={before.current} accepted={sent.accepted} />
        <div className="mt-6 flex justify-end">
          <Button kind="primary" onClick={props.onClose}>
            {t("close")}
          </Button>
        </div>
      </Dialog>
    );
  }
  return (
    <Dialog title={commandTitle(command, said)} onClose={props.onClose}>
      <form
        className="space-y-4"
        onSubmit={(event) => {
          event.preventDefault();
          void send();
        }}
      >
        <p className="text-soft">{t(command.text)}</p>
        <TextField
          label={t("act.reason")}
          hint={t("act.reason_hint")}
          value={reason}
          onChange={setReason}
          problem={tried ? reasonProblem : null}
        />
        {command.confirm ? (
          <TextField
            label={t("act.confirm", { word: command.confirm })}
            value={typed}
            onChange={setTyped}
            placeholder={command.confirm}
            problem={tried ? typedProblem : null}
            mono
          />
        ) : null}
        {sent.kind === "refused" ? (
          <p role="alert" className="flex gap-2 rounded-lg bg-bad-soft px-3 py-2 text-bad">
            <Icon name="warn" className="mt-px" />
            <span className="min-w-0 break-words">
              {t("act.refused")}: {said.either(sent.problem.detail, sent.problem.zh) || t("unreachable")}
            </span>
          </p>
        ) : null}
        <div className="flex justify-end gap-2 pt-1">
          <Button kind="quiet" onClick={props.onClose}>
            {t("cancel")}
          </Button>
          <Button
            kind={command.danger ? "danger" : "primary"}
            type="submit"
            icon={command.icon}
            disabled={sent.kind === "sending"}
          >
            {commandTitle(command, said)}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

/** The answer of the API, and then what the stream shows of it. */
function Outcome(props: { command: Command; before: Status; accepted: Accepted }): ReactNode {
  const said = useSaid();
  const { t, w } = said;
  const status = useStatus();
  const [slow, setSlow] = useState(false);
  const done = useRef<string | null>(null);
  useEffect(() => {
    const timer = setTimeout(() => setSlow(true), SLOW_MS);
    return () => clearTimeout(timer);
  }, []);
  if (status !== props.before) done.current ??= props.command.outcome(props.before, status, said);
  const since = status.decisions.filter((one) => one.at_ms > props.before.now_ms && one.src !== one.dst).slice(0, 5);
  const known = new Set(props.before.warnings.map((warning) => warning.name));
  const warnings = status.warnings.filter((warning) => !known.has(warning.name));
  return (
    <div className="space-y-3" aria-live="polite">
      <p className="flex items-center gap-2.5">
        <Icon name="check" className="text-good" />
        <span>
          {t("act.sent")}: <span className="font-medium">{props.accepted.reason}</span>
        </span>
      </p>
      <p className="flex items-center gap-2.5">
        {done.current !== null ? (
          <Icon name="check" className="text-good" />
        ) : (
          <span className="breathe mx-1 size-2.5 rounded-full bg-accent" aria-hidden="true" />
        )}
        <span data-outcome={done.current !== null ? "done" : "waiting"} className={done.current !== null ? "font-semibold" : "text-soft"}>
          {done.current ?? (slow ? t("act.slow") : `${t("act.waiting")}…`)}
        </span>
      </p>
      {since.length > 0 ? (
        <ul className="space-y-1 rounded-lg bg-sunken px-3 py-2 text-xs">
          {since.map((one, index) => (
            <li key={`${one.at_ms} ${index}`} className="num flex flex-wrap gap-x-2">
              <span className="text-faint">{shortUtc(one.at_ms)}</span>
              <span>{w(one.on)}</span>
              <span className="text-soft">
                {w(one.src)} → {w(one.dst)}
              </span>
            </li>
          ))}
        </ul>
      ) : null}
      {warnings.map((warning) => (
        <p key={warning.name} className="flex gap-2 text-warn">
          <Badge tone={warning.level === "critical" ? "bad" : "warn"}>{w(warning.name)}</Badge>
          {warning.text}
        </p>
      ))}
    </div>
  );
}
