// What the daemon answers. Amounts are decimal strings in USDT, times UTC ms by the engine's clock,
// rates and ratios fractions: docs/api.md.

export type Num = string;
export type State = "IDLE" | "OPENING" | "RUNNING" | "REBALANCING" | "STOPPED";
export type Level = "info" | "warning" | "critical";
export type FigureValue = string | number | boolean;

export interface Verdict {
  ok: boolean;
  guard: string;
  reason: string;
  instrument: string | null;
  /** Pairs on the stream, a mapping in decisions. */
  figures: [string, FigureValue][] | Record<string, FigureValue>;
}

export interface HedgeLine {
  instrument: string;
  spot_base: Num;
  contracts: Num;
  net_delta: Num;
  drift_ratio: Num;
  margin_ratio: Num | null;
  notional: Num | null;
  funding: Num;
  pnl: Num;
  settlements: number;
  opened_ms: number;
}

export interface SettlementLine {
  instrument: string;
  at_ms: number;
  rate: Num;
  expected: Num | null;
}

export interface CandidateLine {
  instrument: string;
  rate: Num | null;
  basis_bps: Num | null;
  refusal: Verdict | null;
}

export interface DecisionLine {
  at_ms: number;
  on: string;
  src: State;
  dst: State;
  instrument: string | null;
  reason: string;
  targets: number;
  refused: Verdict[];
}

export interface StreamLine {
  name: string;
  live: boolean;
  age_ms: number;
  reconnects: number;
}

export interface TaskLine {
  name: string;
  age_ms: number;
  dead: boolean;
  stuck: boolean;
}

export interface CauseLine {
  cause: string;
  level: string;
  reason: string;
  since_ms: number;
  until_operator: boolean;
}

export interface Condition {
  name: string;
  level: Level;
  since_ms: number;
  text: string;
}

export interface Totals {
  orders: number;
  rejects: number;
  scans: number;
  settlements: number;
  opens: number;
  closes: number;
  funding: Num;
  fees: Num;
}

export interface Status {
  now_ms: number;
  mode: string;
  state: State;
  state_since_ms: number;
  permission: string;
  permission_reason: string;
  permission_since_ms: number;
  causes: CauseLine[];
  equity: Num;
  day_pnl: Num;
  unrealised_pnl: Num;
  margin_ratio: Num | null;
  rounds_today: number;
  losing_rounds: number;
  breaker: string;
  hedges: HedgeLine[];
  settlements: SettlementLine[];
  candidates: CandidateLine[];
  decisions: DecisionLine[];
  totals: Totals;
  streams: StreamLine[];
  warnings: Condition[];
  tasks: TaskLine[];
  loop_lag_ms: number;
  rate_use_ratio: Num;
}

export interface Target {
  instrument?: string;
  [name: string]: unknown;
}

export interface Decided {
  seq: number;
  at_ms: number;
  on: string;
  instrument: string | null;
  src: State;
  dst: State;
  moved: boolean;
  reason: string;
  verdicts: Verdict[];
  targets: Target[];
}

export interface Terms {
  funding: Num;
  basis: Num;
  fees: Num;
  slippage: Num;
  interest: Num;
  other: Num;
}

export interface Closed {
  instrument: string;
  hedge_id: string;
  opened_ms: number;
  closed_ms: number;
  notional: Num;
  net: Num;
  terms: Terms;
  reason: string;
  forced: boolean;
}

export interface Performance {
  from_ms: number;
  to_ms: number;
  net: Num;
  net_apr: Num;
  max_drawdown: Num;
  win_rate: Num | null;
  terms: Terms;
  by_instrument: Record<string, Terms>;
  by_day: Record<string, Terms>;
  rounds: Closed[];
  equity: { ts_ms: number; equity: Num }[];
}

export interface Funding {
  total: Num;
  by_instrument: Record<string, Num>;
  by_day: Record<string, Num>;
  payments: { ts_ms: number; instrument: string; rate: Num | null; amount: Num }[];
}

export interface Ordered {
  seq: number;
  at_ms: number;
  cl_id: string;
  ord_id: string;
  instrument: string;
  inst_id: string;
  side: string;
  size: Num;
  limit_px: Num;
  reduce_only: boolean;
  purpose: string;
  status: string;
  filled: Num;
  avg_px: Num | null;
}

export interface JournalRow {
  seq: number;
  at_ms: number;
  kind: string;
  body: Record<string, unknown>;
}

export interface MachineRow {
  on: string;
  src: State | State[];
  dst: State | null;
  guards: string[];
  act: string;
}

export interface Machine {
  states: { name: State; meaning: string }[];
  transitions: MachineRow[];
}

export interface MomentHedge {
  instrument: string;
  spot_base: Num;
  contracts: Num;
  notional: Num | null;
  opened_ms: number;
  funding: Num;
  pnl: Num | null;
}

export interface Moment {
  at_ms: number;
  seq: number;
  state: State;
  permission: string;
  permission_reason: string;
  equity: Num | null;
  hedges: MomentHedge[];
  decision: Decided | null;
}

export type Json = string | number | boolean | null | Json[] | { [key: string]: Json };
export type Config = Record<string, { [key: string]: Json }>;

export interface Schema {
  $ref?: string;
  $defs?: Record<string, Schema>;
  type?: string;
  title?: string;
  description?: string;
  default?: Json;
  properties?: Record<string, Schema>;
  items?: Schema;
  enum?: Json[];
  const?: Json;
  anyOf?: Schema[];
  allOf?: Schema[];
  pattern?: string;
  minimum?: number;
  maximum?: number;
  exclusiveMinimum?: number;
  exclusiveMaximum?: number;
  minLength?: number;
  maxLength?: number;
  minItems?: number;
  maxItems?: number;
}

/** What a file, a section or a key means. */
export interface Meaning {
  en: string;
  zh: string;
}

/** A value that becomes another one; not `asked`: edited in the files since the engine started. */
export interface ConfigMove {
  key: string;
  before: string;
  after: string;
  asked: boolean;
}

export interface ConfigForm {
  version: number;
  /** What was changed from here and is laid over the files, as written in YAML. */
  changes?: Record<string, string>;
  files: Record<string, Schema>;
  locked: string[];
  applies: string;
  /** By dotted path. */
  meanings: Record<string, Meaning>;
  edited: ConfigMove[];
  /** Why the files as they are now would refuse every change; empty when they would not. */
  problem: string;
  problem_zh?: string;
}

export interface ConfigDiff {
  version: number;
  diff: ConfigMove[];
  applies: string;
}

export interface Accepted {
  command: string;
  instrument: string;
  reason: string;
}
