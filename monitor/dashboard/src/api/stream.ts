import { open, Problem } from "./client";
import type { Status } from "./types";

/** Where the connection stands. Times by this computer's own clock: they are about the connection. */
export type Link =
  | { kind: "connecting" }
  | { kind: "live" }
  | { kind: "lost"; sinceMs: number; retryAtMs: number; why: string }
  | { kind: "shut"; problem: Problem };

const SILENCE_MS = 35_000; // the server sends a comment every 15 s: after two missed ones nobody is there
const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 15_000;

/** Follow /api/stream until `stop`; server-sent events by fetch, since EventSource can show no token. */
export function follow(onStatus: (status: Status) => void, onLink: (link: Link) => void): () => void {
  const all = new AbortController();
  let lostMs: number | null = null;
  let waitMs = FIRST_WAIT_MS;

  const heard = (status: Status): void => {
    lostMs = null;
    waitMs = FIRST_WAIT_MS;
    onStatus(status);
    onLink({ kind: "live" });
  };

  const run = async (): Promise<void> => {
    onLink({ kind: "connecting" });
    while (!all.signal.aborted) {
      let why = "the stream ended";
      try {
        await listen(heard, all.signal);
      } catch (error) {
        if (all.signal.aborted) return;
        if (error instanceof Problem && error.needsToken) {
          onLink({ kind: "shut", problem: error });
          return;
        }
        why = error instanceof Error ? error.message : String(error);
      }
      lostMs ??= Date.now();
      const spread = waitMs * (0.8 + 0.4 * Math.random()); // many pages shall not come back in one instant
      onLink({ kind: "lost", sinceMs: lostMs, retryAtMs: Date.now() + spread, why });
      await pause(spread, all.signal);
      waitMs = Math.min(waitMs * 2, LONGEST_WAIT_MS);
    }
  };
  void run();
  return () => all.abort();
}

async function listen(heard: (status: Status) => void, outer: AbortSignal): Promise<void> {
  const mine = new AbortController();
  const give_up = (): void => mine.abort();
  outer.addEventListener("abort", give_up);
  let silence = setTimeout(give_up, SILENCE_MS);
  try {
    const answer = await open("/api/stream", { signal: mine.signal, headers: { accept: "text/event-stream" } });
    if (answer.body === null) throw new Problem(0, "no_stream", "the answer has no body");
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    let rest = "";
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      clearTimeout(silence);
      silence = setTimeout(give_up, SILENCE_MS);
      rest += value;
      const events = rest.split("\n\n");
      rest = events.pop() ?? "";
      const newest = events.map(dataOf).findLast((data) => data !== "");
      if (newest) heard(JSON.parse(newest) as Status);
    }
  } finally {
    clearTimeout(silence);
    outer.removeEventListener("abort", give_up);
    mine.abort();
  }
}

function dataOf(event: string): string {
  return event
    .split("\n")
    .filter((line) => line.startsWith("data:"))
    .map((line) => line.slice(5).trimStart())
    .join("\n");
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      resolve();
    });
    // Coming back to the page, or the network coming back, is a reason to try at once.
    const now = (): void => {
      clearTimeout(timer);
      resolve();
    };
    window.addEventListener("online", now, { once: true, signal });
  });
}
