import { useCallback, useEffect, useState } from "react";
import type { Key } from "../i18n";
import type { IconName } from "../ui/icon";

export const ROUTES = [
  { path: "/", name: "overview", icon: "pulse" },
  { path: "/earnings", name: "earnings", icon: "chart" },
  { path: "/candidates", name: "candidates", icon: "filter" },
  { path: "/decisions", name: "decisions", icon: "branch" },
  { path: "/risk", name: "risk", icon: "shield" },
  { path: "/journal", name: "journal", icon: "book" },
  { path: "/configuration", name: "config", icon: "sliders" },
  { path: "/logs", name: "logs", icon: "lines" },
] as const satisfies readonly { path: string; name: string; icon: IconName }[];

export type RouteName = (typeof ROUTES)[number]["name"];

export function navKey(name: RouteName): Key {
  return `nav.${name}`;
}

function current(): { name: RouteName; query: string } {
  const found = ROUTES.find((route) => route.path === window.location.pathname);
  return { name: found?.name ?? "overview", query: window.location.search };
}

const MOVED = "funding-engine-moved";

/** Go to a page of ours without loading it. */
export function go(path: string): void {
  window.history.pushState(null, "", path);
  window.dispatchEvent(new Event(MOVED));
  window.scrollTo(0, 0);
}

export function useRoute(): { name: RouteName; query: string } {
  const [route, setRoute] = useState(current);
  const look = useCallback(() => setRoute(current()), []);
  useEffect(() => {
    window.addEventListener("popstate", look);
    window.addEventListener(MOVED, look);
    return () => {
      window.removeEventListener("popstate", look);
      window.removeEventListener(MOVED, look);
    };
  }, [look]);
  return route;
}
