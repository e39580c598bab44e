import type { KeyInfo } from '@tidemark/access';
import { toHex } from '@tidemark/bytes';
import type { BudgetDecision, KeyDecision, SkipDecision } from '@tidemark/contract';

export interface SessionInfo {
  readonly key: string;
  readonly session: Uint8Array;
  readonly process: string;
  state: 'open' | 'fenced' | 'closed';
  /** When the log took the last renewal, or the registration, ms. */
  renewedMs: number;
  /** When the log took its end, ms; undefined while it is open. */
  endedMs: number | undefined;
}

/** A fence that was decided; `lane` absent means the whole session. */
export interface FenceInfo {
  readonly offset: number;
  readonly session: Uint8Array;
  readonly lane: { readonly partition: number; readonly lane: number } | undefined;
  readonly reason: string;
  /** Every partition has its copy. */
  completed: boolean;
  /** When the log took the completion, ms. */
  completedMs: number | undefined;
}

/** An offset that consumers may pass. */
export interface SkipInfo {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly reason: string;
}

/** A lane that its own session named as dead, waiting for its fence. */
export interface DeadLaneInfo {
  readonly session: Uint8Array;
  readonly partition: number;
  readonly lane: number;
}

/** Key of a fence: its session, and its lane if it is of one. */
export function fenceKey(session: Uint8Array, lane: { partition: number; lane: number } | undefined): string {
  return lane === undefined ? toHex(session) : `${toHex(session)}.${lane.partition}.${lane.lane}`;
}

/** Key of a skip. */
export function skipKey(topic: string, partition: number, offset: number): string {
  return `${topic}/${partition}/${offset}`;
}

/** No name contains it, so it cannot be taken for a part of one. */
const BUDGET_SEPARATOR = '\n';

/** Key of a budget: of a tenant as a whole when `metric` is empty. */
export function budgetKey(tenant: string, metric: string): string {
  return metric === '' ? tenant : `${tenant}${BUDGET_SEPARATOR}${metric}`;
}

/** Tenant and metric of a budget's key; the metric is empty when the budget is the tenant's as a whole. */
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

/** Adds an exceeded budget to `overBudget`, or removes one that is kept again. */
export function applyBudget(
  overBudget: Map<string, number>,
  { tenant, metric, over, limit }: Omit<BudgetDecision, 'term'>,
): void {
  const key = budgetKey(tenant, metric);
  if (over) overBudget.set(key, limit);
  else overBudget.delete(key);
}

/** Replaces the key of this tenant and name in `keys`, or removes it when it is revoked. */
export function applyKey(
  keys: Map<string, KeyInfo>,
  { tenant, name, keyHash, scopes, revoked }: Omit<KeyDecision, 'term'>,
): void {
  for (const [hash, info] of keys) if (info.tenant === tenant && info.name === name) keys.delete(hash);
  if (!revoked) keys.set(toHex(keyHash), { tenant, name, scopes: new Set(scopes) });
}
