// What stands around every page: where one is, how the engine is, and how to stop it.
import { useState, type ReactNode } from "react";
import { useControls } from "../actions/dialogs";
import { keepToken, token } from "../api/client";
import type { Status } from "../api/types";
import { clock, day, span } from "../format";
import { useSaid, type Language } from "../i18n";
import type { Theme } from "../state/choices";
import { useEngine, useNow, useTick } from "../state/engine";
import { go, navKey, ROUTES, type RouteName } from "../state/route";
import { Badge, Button } from "../ui/basic";
import { Dialog } from "../ui/dialog";
import { SelectField } from "../ui/fields";
import { Icon } from "../ui/icon";
import { PermissionBadge, StateBadge } from "../pages/words";
import { Mark } from "./mark";

export interface Choices {
  theme: Theme;
  setTheme: (theme: Theme) => void;
  language: Language;
  setLanguage: (language: Language) => void;
}

export function Frame(props: { route: RouteName; choices: Choices; children: ReactNode }): ReactNode {
  const { t } = useSaid();
  const { status } = useEngine();
  const [more, setMore] = useState(false);
  return (
    <>
      <a
        href="#main"
        className="fixed top-2 left-2 z-50 -translate-y-20 rounded-lg bg-ink px-4 py-2 font-medium text-paper focus:translate-y-0"
      >
        {t("skip")}
      </a>
      <Sidebar route={props.route} choices={props.choices} />
      <div className="pb-20 md:pb-8 md:pl-24 lg:pl-60">
        <Header status={status} />
        <LostLine />
        <main id="main" tabIndex={-1} className="mx-auto max-w-6xl px-4 pt-6 outline-none sm:px-6 lg:px-8">
          <div className="mb-5">
            <h1 className="text-2xl font-semibold tracking-tight">{t(navKey(props.route))}</h1>
            <p className="mt-0.5 text-soft">{t(`sub.${props.route}`)}</p>
          </div>
          {props.children}
        </main>
      </div>
      <BottomBar route={props.route} onMore={() => setMore(true)} />
      {more ? <MoreDialog route={props.route} choices={props.choices} onClose={() => setMore(false)} /> : null}
    </>
  );
}

function PageLink(props: { path: string; current: boolean; className: string; onGone?: () => void; children: ReactNode }): ReactNode {
  return (
    <a
      href={props.path}
      aria-current={props.current ? "page" : undefined}
      onClick={(event) => {
        if (event.metaKey || event.ctrlKey || event.shiftKey || event.button !== 0) return;
        event.preventDefault();
        go(props.path);
        props.onGone?.();
      }}
      className={props.className}
    >
      {props.children}
    </a>
  );
}

function Sidebar(props: { route: RouteName; choices: Choices }): ReactNode {
  const { t } = useSaid();
  return (
    <div className="fixed inset-y-0 left-0 z-30 hidden w-24 flex-col overflow-y-auto border-r border-line bg-card md:flex lg:w-60">
      <div className="flex h-16 shrink-0 items-center justify-center gap-3 px-5 lg:justify-start">
        <Mark />
        <span className="hidden text-[0.9375rem] font-semibold tracking-tight lg:block">{t("title")}</span>
      </div>
      <nav aria-label={t("nav.label")} className="flex-1 px-3 py-2">
        <ul className="space-y-0.5">
          {ROUTES.map((route) => {
            const current = route.name === props.route;
            return (
              <li key={route.name}>
                <PageLink
                  path={route.path}
                  current={current}
                  className={`flex flex-col items-center gap-1 rounded-lg px-1 py-2 text-center text-[0.6875rem] leading-4 font-medium lg:flex-row lg:gap-3 lg:px-3 lg:text-left lg:text-sm ${current ? "bg-sunken text-ink" : "text-soft hover:bg-sunken hover:text-ink"}`}
                >
                  <Icon name={route.icon} className={current ? "text-accent" : ""} />
                  <span>{t(navKey(route.name))}</span>
                </PageLink>
              </li>
            );
          })}
        </ul>
      </nav>
      <div className="hidden space-y-3 border-t border-line px-5 py-4 lg:block">
        <ChoiceFields {...props.choices} />
      </div>
      <div className="border-t border-line p-2 text-center lg:hidden">
        <QuickChoices {...props.choices} />
      </div>
    </div>
  );
}

function ChoiceFields(props: Choices): ReactNode {
  const { t } = useSaid();
  return (
    <>
      <SelectField
        label={t("language.label")}
        value={props.language}
        onChange={(value) => props.setLanguage(value === "zh" ? "zh" : "en")}
        options={[
          { value: "en", label: "English" },
          { value: "zh", label: "中文" },
        ]}
      />
      <SelectField
        label={t("theme.label")}
        value={props.theme}
        onChange={(value) => props.setTheme(value === "dark" || value === "light" ? value : "auto")}
        options={(["auto", "light", "dark"] as const).map((theme) => ({ value: theme, label: t(`theme.${theme}`) }))}
      />
      {token() ? (
        <Button
          small
          kind="quiet"
          className="w-full"
          onClick={() => {
            keepToken("");
            window.location.reload();
          }}
        >
          {t("token.forget")}
        </Button>
      ) : null}
    </>
  );
}

/** The same two choices as buttons, where there is little room. */
function QuickChoices(props: Choices): ReactNode {
  const { t } = useSaid();
  const next: Record<Theme, Theme> = { auto: "light", light: "dark", dark: "auto" };
  return (
    <div className="flex flex-col items-center gap-1">
      <button
        type="button"
        className="rounded-lg p-2.5 text-soft hover:bg-sunken hover:text-ink"
        aria-label={`${t("theme.label")}: ${t(`theme.${props.theme}`)}`}
        onClick={() => props.setTheme(next[props.theme])}
      >
        <Icon name={props.theme === "auto" ? "half" : props.theme === "light" ? "sun" : "moon"} />
      </button>
      <button
        type="button"
        className="rounded-lg p-2.5 text-xs font-semibold text-soft hover:bg-sunken hover:text-ink"
        onClick={() => props.setLanguage(props.language === "en" ? "zh" : "en")}
      >
        <span lang={props.language === "en" ? "zh-CN" : "en"}>{props.language === "en" ? "中文" : "EN"}</span>
      </button>
    </div>
  );
}

function Header(props: { status: Status | null }): ReactNode {
  const { t, w } = useSaid();
  const controls = useControls();
  const { status } = props;
  return (
    <header className="sticky top-0 z-20 border-b border-line bg-paper/90 backdrop-blur">
      <div className="mx-auto flex h-16 max-w-6xl items-center gap-2 px-4 sm:gap-3 sm:px-6 lg:px-8">
        {status !== null ? (
          <div className="flex min-w-0 flex-wrap items-center gap-x-2 gap-y-1" role="status" aria-live="polite" aria-atomic="true" data-testid="state">
            <StateBadge state={status.state} />
            {status.permission !== "FULL" ? (
              <PermissionBadge level={status.permission} />
            ) : null}
            <span className={status.mode === "live" ? "" : "hidden sm:block"}>
              <Badge tone={status.mode === "live" ? "accent" : "plain"}>{w(status.mode)}</Badge>
            </span>
          </div>
        ) : null}
        <div className="ml-auto flex items-center gap-2 sm:gap-4">
          <EngineClock />
          <LinkDot />
          {status !== null ? (
            <Button small icon="sliders" onClick={controls.menu} className="min-h-9">
              {t("act.controls")}
            </Button>
          ) : null}
        </div>
      </div>
    </header>
  );
}

function EngineClock(): ReactNode {
  const { t } = useSaid();
  const now = useNow();
  if (now === 0) return null;
  return (
    <span className="num hidden text-xs text-soft sm:block" title={t("clock.engine")} data-testid="clock">
      <span className="text-faint">{day(now)}</span> <span className="font-medium">{clock(now)}</span>
      <span className="ml-1 text-faint">UTC</span>
    </span>
  );
}

function LinkDot(): ReactNode {
  const { t } = useSaid();
  const { link } = useEngine();
  const live = link.kind === "live";
  return (
    <span className={`inline-flex items-center gap-1.5 text-xs font-medium ${live ? "text-good" : link.kind === "lost" ? "text-warn" : "text-faint"}`} data-testid="link" data-link={link.kind}>
      <span className={`size-2 rounded-full bg-current ${live ? "" : "breathe"}`} aria-hidden="true" />
      <span className="sr-only sm:not-sr-only">{t(live ? "link.live" : link.kind === "lost" ? "link.lost" : "link.connecting")}</span>
    </span>
  );
}

function LostLine(): ReactNode {
  const { t, isZh } = useSaid();
  const { link, status } = useEngine();
  const now = useTick();
  if (link.kind !== "lost") return null;
  const ago = span(now - link.sinceMs, isZh);
  const retryS = Math.max(0, Math.ceil((link.retryAtMs - now) / 1000));
  return (
    <p role="alert" className="border-b border-warn/40 bg-warn-soft px-4 py-2.5 text-center font-medium text-warn" data-testid="lost">
      {status === null
        ? t("link.lost_never")
        : t("link.lost_since", { ago, at: `${day(status.now_ms)} ${clock(status.now_ms)}` })}{" "}
      <span className="font-normal">{t("link.retry", { s: retryS })}</span>
    </p>
  );
}

const ON_PHONE: readonly RouteName[] = ["overview", "earnings", "candidates", "decisions"];

function BottomBar(props: { route: RouteName; onMore: () => void }): ReactNode {
  const { t } = useSaid();
  const look = "flex h-16 flex-1 flex-col items-center justify-center gap-1 px-1 text-[0.6875rem] font-medium";
  return (
    <nav
      aria-label={t("nav.label")}
      className="fixed inset-x-0 bottom-0 z-30 flex border-t border-line bg-card pb-[env(safe-area-inset-bottom)] md:hidden"
    >
      {ROUTES.filter((route) => ON_PHONE.includes(route.name)).map((route) => (
        <PageLink
          key={route.name}
          path={route.path}
          current={route.name === props.route}
          className={`${look} ${route.name === props.route ? "text-accent" : "text-soft"}`}
        >
          <Icon name={route.icon} />
          {t(navKey(route.name))}
        </PageLink>
      ))}
      <button type="button" onClick={props.onMore} className={`${look} ${ON_PHONE.includes(props.route) ? "text-soft" : "text-accent"}`}>
        <Icon name="more" />
        {t("nav.more")}
      </button>
    </nav>
  );
}

function MoreDialog(props: { route: RouteName; choices: Choices; onClose: () => void }): ReactNode {
  const { t } = useSaid();
  return (
    <Dialog title={t("nav.more")} onClose={props.onClose}>
      <ul className="mb-5 space-y-0.5">
        {ROUTES.filter((route) => !ON_PHONE.includes(route.name)).map((route) => (
          <li key={route.name}>
            <PageLink
              path={route.path}
              current={route.name === props.route}
              onGone={props.onClose}
              className={`-mx-2 flex items-center gap-3 rounded-lg px-2 py-3 font-medium ${route.name === props.route ? "text-accent" : ""}`}
            >
              <Icon name={route.icon} />
              {t(navKey(route.name))}
            </PageLink>
          </li>
        ))}
      </ul>
      <div className="space-y-3 border-t border-line pt-4">
        <ChoiceFields {...props.choices} />
      </div>
    </Dialog>
  );
}
