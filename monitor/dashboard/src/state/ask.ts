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
  // Questions under way, by the order in which they were asked: an answer that is older than the one shown, or
  // to a question that is no longer put, is dropped.
  const flight = useRef({ stop: new AbortController(), path: "", asked: 0, shown: 0 });

  useEffect(() => {
    if (path === null) return;
    if (flight.current.path !== path) {
      flight.current.stop.abort();
      flight.current = { ...flight.current, stop: new AbortController(), path };
    }
    const { stop } = flight.current;
    const isSame = asked.current.path === path && asked.current.round === round;
    const waitMs = isSame ? Math.max(0, asked.current.atMs + LEAST_MS - Date.now()) : 0;
    const timer = setTimeout(() => {
      asked.current = { path, atMs: Date.now(), round };
      const number = ++flight.current.asked;
      setBusy(true);
      get<T>(path, stop.signal)
        .then((data) => {
          if (stop.signal.aborted || number < flight.current.shown) return;
          flight.current.shown = number;
          setFound({ path, data, problem: null });
        })
        .catch((error: unknown) => {
          if (stop.signal.aborted || number < flight.current.shown) return;
          flight.current.shown = number;
          const problem = error instanceof Problem ? error : new Problem(0, "failed", String(error));
          setFound((before) => ({ path, data: before.path === path ? before.data : null, problem }));
        })
        .finally(() => {
          if (!stop.signal.aborted && number === flight.current.asked) setBusy(false);
        });
    }, waitMs);
    return () => clearTimeout(timer);
  }, [path, news, round]);

  useEffect(
    () => () => {
      flight.current.stop.abort();
      flight.current.path = ""; // whoever mounts again asks anew
    },
    [],
  );

  const again = useCallback(() => setRound((before) => before + 1), []);
  return { data: found.data, problem: found.problem, busy, again };
}
