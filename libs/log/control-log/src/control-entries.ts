import { toHex } from '@tidemark/bytes';
import type { BudgetDecision, HaltDecision, KeyDecision, SkipDecision } from '@tidemark/contract';
import type { KeyTable } from './key-table.ts';

export interface SessionInfo {
  readonly key: string;
  readonly session: Uint8Array;
  readonly process: string;
  state: 'open' | 'fenced' | 'closed';
  /** Highest append time of a renewal, or of the registration, ms. */
  renewedMs: number;
  /** Append time of the session's end, ms; undefined while it is open. */
  endedMs: number | undefined;
}

/** A decided fence. Without `lane` it covers the whole session. */
export interface FenceInfo {
  readonly offset: number;
  readonly session: Uint8Array;
  readonly lane: { readonly partition: number; readonly lane: number } | undefined;
  readonly reason: string;
  /** True when every partition has its copy of the fence. */
  completed: boolean;
  /** Append time of the completion, ms. */
  completedMs: number | undefined;
}

/** An offset that consumers may skip. */
export interface SkipInfo {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly reason: string;
}

/** A partition whose stores are all halted. */
export interface HaltInfo {
  readonly topic: string;
  readonly partition: number;
  /** The highest offset at which one of its stores has halted. */
  readonly offset: number;
  /** Append time of the decision that began it, ms. */
  readonly sinceMs: number;
}

/** Records of `control` that the log has lost. */
export interface LostControlInfo {
  readonly offset: number;
  readonly records: number;
  readonly reason: string;
}

/** A lane that its own session reported as dead and that waits for its fence. */
export interface DeadLaneInfo {
  readonly session: Uint8Array;
  readonly partition: number;
  readonly lane: number;
}

/** Returns the key of a fence: its session, and its lane if it covers one lane only. */
export function fenceKey(session: Uint8Array, lane: { partition: number; lane: number } | undefined): string {
  return lane === undefined ? toHex(session) : `${toHex(session)}.${lane.partition}.${lane.lane}`;
}

/** Returns the key of a skip. */
export function skipKey(topic: string, partition: number, offset: number): string {
  return `${topic}/${partition}/${offset}`;
}

/** Returns the key of a halt. */
export function haltKey(topic: string, partition: number): string {
  return `${topic}/${partition}`;
}

/** Separates tenant and metric in the key of a budget. No name contains it. */
const BUDGET_SEPARATOR = '\n';

/** Returns the key of a budget. An empty `metric` means the whole tenant. */
export function budgetKey(tenant: string, metric: string): string {
  return metric === '' ? tenant : `${tenant}${BUDGET_SEPARATOR}${metric}`;
}

/** Splits the key of a budget into tenant and metric. The metric is empty for a budget of the whole tenant. */
export function budgetOf(key: string): { tenant: string; metric: string } {
  const [tenant, metric = ''] = key.split(BUDGET_SEPARATOR);
  return { tenant, metric };
}

/** Adds a skip to `skips`. */
export function applySkip(
  skips: Map<string, SkipInfo>,
  { topic, partition, offset, reason }: Omit<SkipDecision, 'term'>,
): void {
  skips.set(skipKey(topic, partition, offset), { topic, partition, offset, reason });
}

/** Adds an exceeded budget to `overBudget`, or removes one that is no longer exceeded. */
export function applyBudget(
  overBudget: Map<string, number>,
  { tenant, metric, over, limit }: Omit<BudgetDecision, 'term'>,
): void {
  const key = budgetKey(tenant, metric);
  if (over) overBudget.set(key, limit);
  else overBudget.delete(key);
}

/** Adds a halt to `halts`, or removes one that has ended. A halt that continues at another offset keeps its beginning. */
export function applyHalt(
  halts: Map<string, HaltInfo>,
  { topic, partition, offset, halted }: Omit<HaltDecision, 'term'>,
  appendTimeMs: number,
): void {
  const key = haltKey(topic, partition);
  if (!halted) halts.delete(key);
  else halts.set(key, { topic, partition, offset, sinceMs: halts.get(key)?.sinceMs ?? appendTimeMs });
}

/** Replaces the key of this tenant and name in `keys`, or removes a revoked one. */
export function applyKey(keys: KeyTable, { tenant, name, keyHash, scopes, revoked }: Omit<KeyDecision, 'term'>): void {
  const known = keys.hashOf(tenant, name);
  if (known !== undefined) keys.delete(known);
  if (!revoked) keys.set(toHex(keyHash), { tenant, name, scopes: new Set(scopes) });
}
