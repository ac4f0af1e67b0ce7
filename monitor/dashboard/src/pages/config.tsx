import { useMemo, useState, type ReactNode } from "react";
import { post, Problem } from "../api/client";
import type { ConfigDiff, ConfigForm, ConfigMove, Json } from "../api/types";
import { allowed, fieldsOf, shownAs, typed, written, wrong, type Field } from "../config/schema";
import { useSaid, type Said } from "../i18n";
import { useAsk } from "../state/ask";
import { useEngine } from "../state/engine";
import { useSettings } from "../state/settings";
import { Badge, Button, Card, Empty, Loading, Tabs, Trouble } from "../ui/basic";
import { Dialog } from "../ui/dialog";
import { SelectField, TextField } from "../ui/fields";
import { Icon } from "../ui/icon";

/** What was typed by key; null goes back to what the file says. */
type Edits = Record<string, string | null>;

export function ConfigPage(): ReactNode {
  const said = useSaid();
  const { t } = said;
  const settings = useSettings();
  const { meetings } = useEngine();
  const form = useAsk<ConfigForm>("/api/config/form", meetings);
  const [find, setFind] = useState("");
  const [file, setFile] = useState("account");
  const [edits, setEdits] = useState<Edits>({});
  const [reviewing, setReviewing] = useState(false);
  const [applied, setApplied] = useState<ConfigDiff | null>(null);
  const fields = useMemo(() => (settings.data ? fieldsOf(settings.data, form.data) : []), [settings.data, form.data]);
  if (settings.data === null) {
    return <Card>{settings.problem ? <Trouble problem={settings.problem} path="/api/config" /> : <Loading />}</Card>;
  }

  const needle = find.trim().toLowerCase();
  const shown = fields.filter((field) => !needle || `${field.key} ${field.meaning.en} ${field.meaning.zh}`.toLowerCase().includes(needle));
  const changed = fields.filter((field) => {
    const edit = edits[field.key];
    return edit === null || (edit !== undefined && edit.trim() !== typed(field.value));
  });
  const broken = changed.filter((field) => {
    const edit = edits[field.key];
    return typeof edit === "string" && wrong(field, edit, said) !== null;
  });
  const all = [...new Set(fields.map((field) => field.file))];
  const files = needle ? all.filter((name) => shown.some((field) => field.file === name)) : [file];

  return (
    <div className="space-y-5 pb-20">
      {form.problem ? (
        <p className="flex items-center gap-2.5 rounded-xl bg-sunken px-4 py-3 text-soft" role="status">
          <Icon name="lock" />
          {t("config.view_only")}
        </p>
      ) : null}
      {applied ? (
        <div className="rounded-xl bg-good-soft px-4 py-3 text-good" role="status">
          <p className="flex items-center gap-2.5 font-semibold">
            <Icon name="check" />
            {(form.data?.version ?? 0) >= applied.version
              ? t("config.applied", { n: applied.version })
              : t("config.sent", { n: applied.version })}
          </p>
          <p className="mt-1">{said.sentence(applied.applies)}</p>
        </div>
      ) : null}
      {form.data ? <Edited form={form.data} /> : null}
      <div className="flex flex-wrap items-end justify-between gap-3">
        <div className="w-full max-w-md">
          <TextField type="search" label={t("config.find")} value={find} onChange={setFind} />
        </div>
        {form.data ? <Badge>{t("config.version", { n: form.data.version })}</Badge> : null}
      </div>
      {needle ? null : (
        <div className="-mx-4 overflow-x-auto px-4">
          <Tabs
            label={t("nav.config")}
            value={file}
            onChange={setFile}
            options={all.map((name) => ({
              value: name,
              label: name + (changed.some((field) => field.file === name) ? " •" : ""),
            }))}
          />
        </div>
      )}
      {shown.length === 0 ? (
        <Card>
          <Empty title={t("config.none")} />
        </Card>
      ) : null}
      {files.map((name) => (
        <Card key={name} id={`file-${name}`} title={`${name}.yaml`} flush>
          <ul className="divide-y divide-line border-t border-line">
            {shown
              .filter((field) => field.file === name)
              .map((field) => (
                <Row
                  key={field.key}
                  field={field}
                  text={edits[field.key] ?? typed(field.value)}
                  isBack={edits[field.key] === null}
                  editable={form.data !== null && !field.locked}
                  redLine={form.data !== null && field.locked}
                  isChanged={changed.includes(field)}
                  onChange={(text) => setEdits((before) => ({ ...before, [field.key]: text }))}
                  onBack={() => setEdits((before) => ({ ...before, [field.key]: null }))}
                />
              ))}
          </ul>
        </Card>
      ))}
      {changed.length > 0 ? (
        <div className="fixed inset-x-0 bottom-16 z-20 border-t border-line bg-card/95 px-4 py-3 backdrop-blur md:bottom-0 md:left-24 lg:left-60">
          <div className="mx-auto flex max-w-6xl items-center justify-end gap-3">
            {broken.length > 0 ? <p className="mr-auto text-xs font-medium text-bad">{t("config.fix")}</p> : null}
            <Button kind="quiet" onClick={() => setEdits({})}>
              {t("config.discard")}
            </Button>
            <Button kind="primary" disabled={broken.length > 0} onClick={() => setReviewing(true)}>
              {changed.length === 1 ? t("config.review_one") : t("config.review", { n: changed.length })}
            </Button>
          </div>
        </div>
      ) : null}
      {reviewing && form.data ? (
        <Review
          fields={changed}
          edits={edits}
          form={form.data}
          onClose={() => setReviewing(false)}
          onApplied={(diff) => {
            setApplied(diff);
            setReviewing(false);
            setEdits({});
            window.scrollTo(0, 0); // what is in force is asked for once the engine has started again
          }}
        />
      ) : null}
    </div>
  );
}

function shownValue(value: Json | undefined, said: Said): string {
  if (value === null || value === undefined || value === "") return said.t("config.empty");
  if (typeof value === "boolean") return said.t(value ? "config.on" : "config.off");
  if (Array.isArray(value)) return value.length === 0 ? said.t("none") : value.map(String).join(", ");
  return String(value);
}

function thenShown(field: Field, edit: string | null | undefined, said: Said): string {
  return typeof edit === "string" ? shownValue(shownAs(field, edit), said) : said.t("config.file_value");
}

function Row(props: {
  field: Field;
  text: string;
  editable: boolean;
  redLine: boolean;
  isChanged: boolean;
  isBack: boolean;
  onChange: (text: string) => void;
  onBack: () => void;
}): ReactNode {
  const said = useSaid();
  const { t } = said;
  const { field } = props;
  const name = field.key.slice(field.file.length + 1);
  const rule = allowed(field, said);
  const meaning = field.meaning[said.language];
  return (
    <li className={`grid gap-x-6 gap-y-2 px-5 py-3.5 md:grid-cols-[minmax(0,3fr)_minmax(0,2fr)] ${props.isChanged ? "bg-accent-soft/50" : ""}`}>
      <div className="min-w-0">
        <h3 className="flex flex-wrap items-center gap-2 font-mono text-[0.8125rem] font-medium break-all">
          {name}
          {props.isChanged ? <Badge tone="accent">{t("config.changed")}</Badge> : null}
        </h3>
        {meaning ? <p className="mt-0.5 text-xs text-soft">{meaning}</p> : null}
        {field.overlaid && props.editable ? (
          <p className="mt-1 flex flex-wrap items-center gap-x-3 text-xs text-faint">
            {t("config.overlaid")}
            <button type="button" className="font-medium text-accent underline-offset-2 hover:underline" onClick={props.onBack}>
              {t("config.back")}
            </button>
          </p>
        ) : null}
        {rule && props.editable ? <p className="mt-0.5 text-xs text-faint">{t("config.allowed", { what: rule })}</p> : null}
      </div>
      <div className="min-w-0">
        {props.editable ? (
          <>
            <Input {...props} problem={props.isChanged && !props.isBack ? wrong(field, props.text, said) : null} />
            {props.isBack ? <p className="mt-1 text-xs text-accent">{t("config.file_value")}</p> : null}
          </>
        ) : (
          <p className="flex items-start gap-2 md:justify-end md:text-right">
            {props.redLine ? (
              <span title={t("config.locked")} className="mt-0.5 text-faint">
                <Icon name="lock" size={15} />
                <span className="sr-only">{t("config.locked")}</span>
              </span>
            ) : null}
            <span className="num min-w-0 font-medium break-words whitespace-normal">{shownValue(field.value, said)}</span>
          </p>
        )}
      </div>
    </li>
  );
}

function Input(props: { field: Field; text: string; problem: string | null; onChange: (text: string) => void }): ReactNode {
  const { t } = useSaid();
  const { field } = props;
  const shared = { label: field.key, hideLabel: true, value: props.text, onChange: props.onChange, problem: props.problem };
  if (field.kind === "boolean") {
    return (
      <SelectField
        {...shared}
        options={[
          { value: "true", label: t("config.on") },
          { value: "false", label: t("config.off") },
        ]}
      />
    );
  }
  if (field.kind === "choice") {
    const empty = field.nullable ? [{ value: "", label: t("config.empty") }] : [];
    return <SelectField {...shared} options={[...empty, ...field.choices.map((one) => ({ value: one, label: one }))]} />;
  }
  if (field.kind === "list") {
    return <TextField {...shared} mono lines={Math.min(6, Math.max(2, props.text.split("\n").length))} hint={t("config.list")} />;
  }
  const isNumber = field.kind === "integer" || field.kind === "number";
  return <TextField {...shared} placeholder={t("config.empty")} {...(isNumber ? { inputMode: "decimal" as const } : {})} />;
}

function Move(props: { name: string; before: string; after: string }): ReactNode {
  const { t } = useSaid();
  return (
    <li className="px-3.5 py-2.5">
      <p className="font-mono text-xs font-medium break-all">{props.name}</p>
      <p className="num mt-1 flex flex-wrap items-center gap-2 text-sm whitespace-normal">
        <span className="sr-only">{t("config.before")}</span>
        <span className="text-soft line-through">{props.before}</span>
        <Icon name="arrow" size={14} className="text-faint" />
        <span className="sr-only">{t("config.after")}</span>
        <span className="font-semibold">{props.after}</span>
      </p>
    </li>
  );
}

/** What the next start takes in from the files, whoever asks for it. `except`: what one's own change says. */
function Edited(props: { form: ConfigForm; except?: Field[] }): ReactNode {
  const { t, either } = useSaid();
  const own = new Set(props.except?.map((field) => field.key));
  const edited: ConfigMove[] = props.form.edited.filter((move) => !own.has(move.key));
  if (props.form.problem) {
    return (
      <div role="alert" className="rounded-lg bg-bad-soft px-3.5 py-2.5 text-bad">
        <p className="font-medium">{t("config.refused")}</p>
        <p className="mt-1 text-xs break-words whitespace-pre-line">{either(props.form.problem, props.form.problem_zh)}</p>
      </div>
    );
  }
  if (edited.length === 0) return null;
  return (
    <div role="status" className="rounded-lg bg-warn-soft">
      <p className="px-3.5 pt-2.5 font-medium">{t("config.edited")}</p>
      <ul className="divide-y divide-line">
        {edited.map((move) => (
          <Move key={move.key} name={move.key} before={move.before} after={move.after} />
        ))}
      </ul>
    </div>
  );
}

function Review(props: {
  fields: Field[];
  edits: Edits;
  form: ConfigForm;
  onClose: () => void;
  onApplied: (diff: ConfigDiff) => void;
}): ReactNode {
  const said = useSaid();
  const { t } = said;
  const [reason, setReason] = useState("");
  const [tried, setTried] = useState(false);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem | null>(null);
  const latest = useAsk<ConfigForm>("/api/config/form");
  const short = reason.trim().length < 3 || reason.trim().length > 200 ? t("act.reason_short") : null;
  const apply = async (): Promise<void> => {
    setTried(true);
    if (short !== null) return;
    setBusy(true);
    setProblem(null);
    const changes = Object.fromEntries(
      props.fields.map((field) => {
        const edit = props.edits[field.key];
        return [field.key, typeof edit === "string" ? written(field, edit) : null];
      }),
    );
    try {
      props.onApplied(await post<ConfigDiff>("/api/config", { version: props.form.version, reason: reason.trim(), changes }));
    } catch (error) {
      setProblem(error instanceof Problem ? error : new Problem(0, "failed", String(error)));
      setBusy(false);
    }
  };
  return (
    <Dialog title={t("config.diff")} onClose={props.onClose}>
      <form
        className="space-y-4"
        onSubmit={(event) => {
          event.preventDefault();
          void apply();
        }}
      >
        <ul className="divide-y divide-line rounded-lg border border-line">
          {props.fields.map((field) => (
            <Move
              key={field.key}
              name={field.key}
              before={shownValue(field.value, said)}
              after={thenShown(field, props.edits[field.key], said)}
            />
          ))}
        </ul>
        {/* Asked anew: the files may have been edited while somebody was typing here. */}
        <Edited form={latest.data ?? props.form} except={props.fields} />
        <p className="text-xs text-faint">{said.sentence(props.form.applies)}</p>
        <TextField
          label={t("act.reason")}
          hint={t("act.reason_hint")}
          value={reason}
          onChange={setReason}
          problem={tried ? short : null}
        />
        {problem ? (
          <p role="alert" className="flex gap-2 rounded-lg bg-bad-soft px-3 py-2 text-bad">
            <Icon name="warn" className="mt-px" />
            <span className="min-w-0 break-words whitespace-pre-line">
              {problem.status === 409 ? t("config.conflict") : said.either(problem.detail, problem.zh) || t("unreachable")}
            </span>
          </p>
        ) : null}
        <div className="flex justify-end gap-2">
          <Button kind="quiet" onClick={props.onClose}>
            {t("cancel")}
          </Button>
          <Button kind="primary" type="submit" disabled={busy}>
            {t("config.apply")}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
