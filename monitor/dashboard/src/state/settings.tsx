// The configuration in force, asked for once and after every change.
import { createContext, useContext, type ReactNode } from "react";
import type { Config, Json } from "../api/types";
import { useAsk, type Asked } from "./ask";
import { useEngine } from "./engine";

const SettingsContext = createContext<Asked<Config>>({ data: null, problem: null, busy: false, again: () => undefined });

export function SettingsProvider(props: { children: ReactNode }): ReactNode {
  // Nothing is asked before the stream is open: where the token is wrong, it is shown wrong once and not twice.
  const { meetings } = useEngine();
  const asked = useAsk<Config>(meetings > 0 ? "/api/config" : null, meetings);
  return <SettingsContext.Provider value={asked}>{props.children}</SettingsContext.Provider>;
}

export function useSettings(): Asked<Config> {
  return useContext(SettingsContext);
}

/** The value at "risk.margin.target", or undefined. */
export function settingAt(config: Config | null, key: string): Json | undefined {
  let found: Json | undefined = config as Json | undefined;
  for (const part of key.split(".")) {
    if (found === null || typeof found !== "object" || Array.isArray(found)) return undefined;
    found = found[part];
  }
  return found;
}

/** A number of the configuration; NaN where it is not known. */
export function limitAt(config: Config | null, key: string): number {
  const value = settingAt(config, key);
  return typeof value === "string" || typeof value === "number" ? Number(value) : Number.NaN;
}
