import { useCallback, useEffect, useState } from "react";

export type Theme = "auto" | "light" | "dark";

function kept<T extends string>(name: string, allowed: readonly T[]): T | null {
  const value = localStorage.getItem(name);
  return allowed.find((one) => one === value) ?? null;
}

/** A choice of the reader that outlives the tab; null while none was made. */
export function useChoice<T extends string>(name: string, allowed: readonly T[]): [T | null, (value: T | null) => void] {
  const [value, setValue] = useState<T | null>(() => kept(name, allowed));
  const choose = useCallback(
    (next: T | null) => {
      if (next === null) localStorage.removeItem(name);
      else localStorage.setItem(name, next);
      setValue(next);
    },
    [name],
  );
  return [value, choose];
}

const PREFERS_DARK = "(prefers-color-scheme: dark)";

/** Put the theme on the document; "auto" follows the system as it changes. Returns what is shown. */
export function useTheme(theme: Theme): "light" | "dark" {
  const [prefersDark, setPrefersDark] = useState(() => window.matchMedia(PREFERS_DARK).matches);
  useEffect(() => {
    const media = window.matchMedia(PREFERS_DARK);
    const look = (): void => setPrefersDark(media.matches);
    media.addEventListener("change", look);
    return () => media.removeEventListener("change", look);
  }, []);
  const shown = theme === "auto" ? (prefersDark ? "dark" : "light") : theme;
  document.documentElement.dataset["theme"] = shown;
  return shown;
}
