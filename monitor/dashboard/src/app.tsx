import { useCallback, useEffect, useState, type ReactNode } from "react";
import { ControlsProvider } from "./actions/dialogs";
import type { Problem } from "./api/client";
import { saidIn, SaidContext, useSaid, type Language } from "./i18n";
import { Candidates } from "./pages/candidates";
import { ConfigPage } from "./pages/config";
import { Decisions } from "./pages/decisions";
import { Earnings } from "./pages/earnings";
import { JournalPage } from "./pages/journal";
import { Logs } from "./pages/logs";
import { Overview } from "./pages/overview";
import { Risk } from "./pages/risk";
import { Frame } from "./shell/frame";
import { Gate } from "./shell/gate";
import { useChoice, useTheme, type Theme } from "./state/choices";
import { EngineProvider, useEngine } from "./state/engine";
import { navKey, useRoute } from "./state/route";
import { settingAt, SettingsProvider, useSettings } from "./state/settings";
import { Card } from "./ui/basic";

const LANGUAGES = ["en", "zh"] as const;
const THEMES = ["auto", "light", "dark"] as const;

export function App(): ReactNode {
  const [shut, setShut] = useState<Problem | null>(null);
  const [visit, setVisit] = useState(0);
  const [chosen, choose] = useChoice<Language>("funding-engine-language", LANGUAGES);
  const again = useCallback(() => {
    setShut(null);
    setVisit((before) => before + 1);
  }, []);
  const browser: Language = navigator.language.startsWith("zh") ? "zh" : "en";
  const [kept, setTheme] = useChoice<Theme>("funding-engine-theme", THEMES);
  const theme = kept ?? "auto";
  const shown = useTheme(theme);
  if (shut !== null) {
    return (
      <Speaking language={chosen ?? browser}>
        <Gate key={visit} problem={shut} onToken={again} />
      </Speaking>
    );
  }
  return (
    <EngineProvider key={visit} onShut={setShut}>
      <SettingsProvider>
        <Inside
          chosen={chosen}
          setLanguage={choose}
          theme={theme}
          setTheme={(next) => setTheme(next === "auto" ? null : next)}
          shownTheme={shown}
        />
      </SettingsProvider>
    </EngineProvider>
  );
}

function Speaking(props: { language: Language; children: ReactNode }): ReactNode {
  useEffect(() => {
    document.documentElement.lang = props.language === "zh" ? "zh-CN" : "en";
  }, [props.language]);
  return <SaidContext.Provider value={saidIn(props.language)}>{props.children}</SaidContext.Provider>;
}

function Inside(props: {
  chosen: Language | null;
  setLanguage: (language: Language) => void;
  theme: Theme;
  setTheme: (theme: Theme) => void;
  shownTheme: string;
}): ReactNode {
  const settings = useSettings();
  const told = settingAt(settings.data, "monitor.language");
  const language: Language = props.chosen ?? (told === "zh" ? "zh" : "en");
  return (
    <Speaking language={language}>
      <ControlsProvider>
        <Pages language={language} {...props} />
      </ControlsProvider>
    </Speaking>
  );
}

function Pages(props: {
  language: Language;
  setLanguage: (language: Language) => void;
  theme: Theme;
  setTheme: (theme: Theme) => void;
  shownTheme: string;
}): ReactNode {
  const { t } = useSaid();
  const { name } = useRoute();
  const { status, link } = useEngine();
  useEffect(() => {
    document.title = `${t(navKey(name))} · ${t("title")}`;
  }, [name, t]);
  const pages = {
    overview: () => <Overview />,
    earnings: () => <Earnings theme={props.shownTheme} />,
    candidates: () => <Candidates />,
    decisions: () => <Decisions />,
    risk: () => <Risk />,
    journal: () => <JournalPage />,
    config: () => <ConfigPage />,
    logs: () => <Logs />,
  };
  return (
    <Frame route={name} choices={props}>
      {status === null ? (
        <Card>
          <p className="py-10 text-center text-soft" role="status">
            {link.kind === "lost" ? t("link.lost_never") : `${t("link.first")}`}
          </p>
        </Card>
      ) : (
        pages[name]()
      )}
    </Frame>
  );
}
