const TOKEN = "funding-engine-token";

/** An answer that is not the one asked for: `status` 0 when there was none at all. */
export class Problem extends Error {
  constructor(
    readonly status: number,
    readonly error: string,
    readonly detail: string,
    readonly retryAfterS: number | null = null,
    readonly zh = "",
  ) {
    super(detail || error);
  }

  /** The endpoint does not exist in this daemon; a thing that was not found is told with its own words. */
  get isMissing(): boolean {
    return (this.status === 404 && this.detail === "Not Found") || this.status === 405;
  }

  get needsToken(): boolean {
    return this.status === 401 || this.error === "locked_out";
  }
}

export function token(): string {
  return sessionStorage.getItem(TOKEN) ?? "";
}

/** Kept until the tab is closed, and nowhere else. */
export function keepToken(value: string): void {
  if (value) sessionStorage.setItem(TOKEN, value);
  else sessionStorage.removeItem(TOKEN);
}

function headers(): Record<string, string> {
  const shown = token();
  return shown ? { authorization: `Bearer ${shown}` } : {};
}

async function problemOf(answer: Response): Promise<Problem> {
  const retry = Number(answer.headers.get("retry-after"));
  let told: { error?: unknown; detail?: unknown; zh?: unknown } = {};
  try {
    told = (await answer.json()) as typeof told;
  } catch (error) {
    told = { error: answer.statusText, detail: String(error) };
  }
  const after = retry > 0 ? retry : null;
  return new Problem(answer.status, String(told.error ?? ""), String(told.detail ?? ""), after, String(told.zh ?? ""));
}

/** Open an answer. Raises Problem for everything that is not a success. */
export async function open(path: string, init: RequestInit = {}): Promise<Response> {
  let answer: Response;
  try {
    answer = await fetch(path, { cache: "no-store", ...init, headers: { ...headers(), ...init.headers } });
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new Problem(0, "unreachable", String(error));
  }
  if (!answer.ok) throw await problemOf(answer);
  return answer;
}

export async function get<T>(path: string, signal?: AbortSignal): Promise<T> {
  const answer = await open(path, signal ? { signal } : {});
  return (await answer.json()) as T;
}

export async function post<T>(path: string, body: unknown): Promise<T> {
  const answer = await open(path, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  return (await answer.json()) as T;
}

/** A path with the parameters that have a value. */
export function withQuery(path: string, parameters: Record<string, string | number | boolean | null | undefined>): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) {
    if (value !== null && value !== undefined && value !== "" && value !== false) query.set(name, String(value));
  }
  const text = query.toString();
  return text ? `${path}?${text}` : path;
}
