import { useCallback, useEffect, useRef, useState } from "react";
import { get, Problem } from "../api/client";

export interface Asked<T> {
  data: T | null;
  problem: Problem | null;
  busy: boolean;
  again: () => void;
}

const LEAST_MS = 2_500; // between two questions of one place, however often there is news

/**
 * The answer to a question, asked again whenever `news` differs: the stream tells that there is something new,
 * nothing is asked on a timer. An answer stays while the next is under way. `path` null asks nothing.
 */
export function useAsk<T>(path: string | null, news: unknown = 0): Asked<T> {
  const [found, setFound] = useState<{ path: string | null; data: T | null; problem: Problem | null }>({
    path: null,
    data: null,
    problem: null,
  });
  const [busy, setBusy] = useState(false);
  const [round, setRound] = useState(0);
  const asked = useRef({ path: "", atMs: 0, round: 0 });

  useEffect(() => {
    if (path === null) return;
    const stop = new AbortController();
    const isSame = asked.current.path === path && asked.current.round === round;
    const waitMs = isSame ? Math.max(0, asked.current.atMs + LEAST_MS - Date.now()) : 0;
    const timer = setTimeout(() => {
      asked.current = { path, atMs: Date.now(), round };
      setBusy(true);
      get<T>(path, stop.signal)
        .then((data) => setFound({ path, data, problem: null }))
        .catch((error: unknown) => {
          if (stop.signal.aborted) return;
          const problem = error instanceof Problem ? error : new Problem(0, "failed", String(error));
          setFound((before) => ({ path, data: before.path === path ? before.data : null, problem }));
        })
        .finally(() => {
          if (!stop.signal.aborted) setBusy(false);
        });
    }, waitMs);
    return () => {
      clearTimeout(timer);
      // An answer under way is still wanted when only the news differs: the next question waits its turn.
      if (Date.now() - asked.current.atMs > LEAST_MS || asked.current.path !== path) stop.abort();
    };
  }, [path, news, round]);

  const again = useCallback(() => setRound((before) => before + 1), []);
  return { data: found.data, problem: found.problem, busy, again };
}
