// The newest picture of the engine, and the state of the connection it came by.
import { createContext, useContext, useEffect, useMemo, useRef, useState, type ReactNode } from "react";
import type { Problem } from "../api/client";
import { follow, type Link } from "../api/stream";
import type { Status } from "../api/types";

interface Engine {
  status: Status | null;
  link: Link;
  /** When the picture came, by this computer's clock. */
  heardMs: number;
  /** How often the connection was made: another one may be to an engine that has started again. */
  meetings: number;
}

const EngineContext = createContext<Engine>({
  status: null,
  link: { kind: "connecting" },
  heardMs: 0,
  meetings: 0,
});

export function EngineProvider(props: { onShut: (problem: Problem) => void; children: ReactNode }): ReactNode {
  const [engine, setEngine] = useState<Engine>({ status: null, link: { kind: "connecting" }, heardMs: 0, meetings: 0 });
  const onShut = useRef(props.onShut);
  onShut.current = props.onShut;

  useEffect(
    () =>
      follow(
        (status) =>
          setEngine((before) => ({
            status,
            link: { kind: "live" },
            heardMs: Date.now(),
            meetings: before.meetings + (before.link.kind === "live" ? 0 : 1),
          })),
        (link) => {
          if (link.kind === "shut") onShut.current(link.problem);
          setEngine((before) => (before.link.kind === link.kind && link.kind !== "lost" ? before : { ...before, link }));
        },
      ),
    [],
  );
  return <EngineContext.Provider value={engine}>{props.children}</EngineContext.Provider>;
}

export function useEngine(): Engine {
  return useContext(EngineContext);
}

/** The picture, where the page is shown only when there is one. */
export function useStatus(): Status {
  const { status } = useEngine();
  if (status === null) throw new Error("asked for the status before there was one");
  return status;
}

/** Seconds of this computer, for what is about the connection. */
export function useTick(everyMs = 1000): number {
  const [now, setNow] = useState(Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), everyMs);
    return () => clearInterval(timer);
  }, [everyMs]);
  return now;
}

/**
 * The engine's clock. The demo's runs as fast as its market, so it is only what was told last; a real engine's
 * goes on between two pictures, and ages grow when it stops talking.
 */
export function useNow(): number {
  const { status, heardMs } = useEngine();
  const tick = useTick();
  return useMemo(() => {
    if (status === null) return 0;
    return status.mode === "demo" ? status.now_ms : status.now_ms + Math.max(0, tick - heardMs);
  }, [status, heardMs, tick]);
}
