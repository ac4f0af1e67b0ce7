// Before the page: the token, where the engine asks for one.
import { useEffect, useState, type ReactNode } from "react";
import { keepToken, type Problem } from "../api/client";
import { useSaid } from "../i18n";
import { useTick } from "../state/engine";
import { Button } from "../ui/basic";
import { TextField } from "../ui/fields";
import { Mark } from "./mark";

export function Gate(props: { problem: Problem; onToken: () => void }): ReactNode {
  const { t } = useSaid();
  const [value, setValue] = useState("");
  const [said, setSaid] = useState<string | null>(null);
  const [sinceMs] = useState(Date.now());
  const now = useTick();
  const { problem } = props;
  const leftS = problem.retryAfterS === null ? 0 : Math.max(0, Math.ceil(problem.retryAfterS - (now - sinceMs) / 1000));
  useEffect(() => {
    document.title = t("title");
  }, [t]);
  const told =
    said ??
    (problem.error === "locked_out" && leftS > 0
      ? t("token.locked", { s: leftS })
      : problem.error === "wrong_token"
        ? t("token.wrong")
        : null);
  return (
    <main className="flex min-h-dvh items-center justify-center p-4">
      <form
        className="w-full max-w-sm rounded-2xl border border-line bg-card p-6 shadow-card sm:p-8"
        onSubmit={(event) => {
          event.preventDefault();
          if (value.trim() === "") {
            setSaid(t("token.empty"));
            return;
          }
          keepToken(value.trim());
          props.onToken();
        }}
      >
        <Mark size={36} />
        <h1 className="mt-5 text-xl font-semibold tracking-tight">{t("token.title")}</h1>
        <p className="mt-1.5 mb-5 text-soft">{t("token.text")}</p>
        <TextField
          type="password"
          label={t("token.label")}
          value={value}
          autoComplete="current-password"
          onChange={(next) => {
            setValue(next);
            setSaid(null);
          }}
          problem={told}
        />
        <Button kind="primary" type="submit" className="mt-5 w-full">
          {t("token.enter")}
        </Button>
      </form>
    </main>
  );
}
