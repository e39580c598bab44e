import { toHex } from '@tidemark/bytes';
import type {
  BudgetDecision,
  FenceDecision,
  KeyDecision,
  MapDecision,
  SessionRenewed,
  SkipDecision,
} from '@tidemark/contract';
import { type PartitionMap, unpackSlots } from '@tidemark/model';
import { unreachable } from '@tidemark/ports';
import type { ControlMessage } from './control-record.ts';

export interface SessionInfo {
  readonly key: string;
  readonly session: Uint8Array;
  readonly process: string;
  state: 'open' | 'fenced' | 'closed';
  /** When the log took the last renewal, or the registration, ms. */
  renewedMs: number;
}

/** A fence that was decided; `lane` absent means the whole session. */
export interface FenceInfo {
  readonly offset: number;
  readonly session: Uint8Array;
  readonly lane: { readonly partition: number; readonly lane: number } | undefined;
  readonly reason: string;
  /** Every partition has its copy. */
  completed: boolean;
}

export interface KeyInfo {
  readonly tenant: string;
  readonly name: string;
  readonly scopes: ReadonlySet<string>;
}

/** A lane that its own session named as dead, waiting for its fence. */
export interface DeadLaneInfo {
  readonly session: Uint8Array;
  readonly partition: number;
  readonly lane: number;
}

/**
 * What the `control` log says up to an offset: terms, maps, sessions, fences, skips, budgets, keys. A decision of a
 * lower term, or one that expects another predecessor, is void; everybody who reads the log sees the same.
 */
export class ControlState {
  nextOffset = 0;
  /** Append time of the newest record applied, by the log's clock: no decision that was not read yet is older. */
  throughMs = Number.NEGATIVE_INFINITY;
  term = 0;
  /** Offset of the record that claimed the term: of two claims of one term the first counts. */
  termOffset = -1;
  readonly sessions = new Map<string, SessionInfo>();
  readonly fences = new Map<string, FenceInfo>();
  readonly deadLanes = new Map<string, DeadLaneInfo>();
  readonly maps = new Map<number, PartitionMap>();
  #newest: PartitionMap | undefined;
  readonly #skips = new Map<string, string>();
  /** Over budget: `tenant` or `tenant/metric`, with the limit. */
  readonly overBudget = new Map<string, number>();
  /** By the hex SHA-256 of the key. */
  readonly keys = new Map<string, KeyInfo>();

  /** The map in force; undefined before the first was decided. */
  get map(): PartitionMap | undefined {
    return this.#newest;
  }

  skipReason(topic: string, partition: number, offset: number): string | undefined {
    return this.#skips.get(`${topic}/${partition}/${offset}`);
  }

  /** Applies the record at `offset`, which the log took at `appendTimeMs`. */
  apply(message: ControlMessage, offset: number, appendTimeMs: number): void {
    this.nextOffset = offset + 1;
    this.throughMs = Math.max(this.throughMs, appendTimeMs);
    switch (message.$case) {
      case 'registered': {
        const { session, process } = message.value;
        const key = toHex(session);
        if (!this.sessions.has(key)) {
          this.sessions.set(key, {
            key,
            session: Buffer.from(session),
            process,
            state: 'open',
            renewedMs: appendTimeMs,
          });
        }
        return;
      }
      case 'renewed':
        this.#renew(message.value, appendTimeMs);
        return;
      case 'ended': {
        const session = this.sessions.get(toHex(message.value.session));
        if (session !== undefined && session.state === 'open') session.state = 'closed';
        return;
      }
      case 'term':
        if (message.value.term > this.term) {
          this.term = message.value.term;
          this.termOffset = offset;
        }
        return;
      case 'map':
        if (this.#inForce(message.value.term)) this.#decideMap(message.value);
        return;
      case 'fence':
        if (this.#inForce(message.value.term)) this.#fence(message.value, offset);
        return;
      case 'fenceCompleted': {
        const { session, lane } = message.value;
        const fence = this.fences.get(fenceKey(session, lane));
        if (fence !== undefined) fence.completed = true;
        return;
      }
      case 'skip':
        if (this.#inForce(message.value.term)) this.#skip(message.value);
        return;
      case 'budget':
        if (this.#inForce(message.value.term)) this.#budget(message.value);
        return;
      case 'key':
        if (this.#inForce(message.value.term)) this.#key(message.value);
        return;
      default:
        unreachable(message);
    }
  }

  #inForce(term: number): boolean {
    return term === this.term;
  }

  #renew(renewed: SessionRenewed, appendTimeMs: number): void {
    const session = this.sessions.get(toHex(renewed.session));
    if (session === undefined || session.state !== 'open') return;
    session.renewedMs = appendTimeMs;
    for (const { partition, lane } of renewed.deadLanes) {
      const key = fenceKey(session.session, { partition, lane });
      if (!this.fences.has(key)) this.deadLanes.set(key, { session: session.session, partition, lane });
    }
  }

  #decideMap(decision: MapDecision): void {
    const { map, expectedEpoch } = decision;
    if (map === undefined || expectedEpoch !== (this.#newest?.epoch ?? 0) || map.epoch <= expectedEpoch) return;
    this.#newest = { epoch: map.epoch, partitions: map.partitions, slots: unpackSlots(map.slots) };
    this.maps.set(map.epoch, this.#newest);
  }

  #fence(decision: FenceDecision, offset: number): void {
    const key = fenceKey(decision.session, decision.lane);
    if (this.fences.has(key)) return;
    const { session, lane, reason } = decision;
    this.fences.set(key, { offset, session: Buffer.from(session), lane, reason, completed: false });
    this.deadLanes.delete(key);
    const info = this.sessions.get(toHex(session));
    if (lane === undefined && info !== undefined) info.state = 'fenced';
  }

  #skip({ topic, partition, offset, reason }: SkipDecision): void {
    this.#skips.set(`${topic}/${partition}/${offset}`, reason);
  }

  #budget({ tenant, metric, over, limit }: BudgetDecision): void {
    const key = budgetKey(tenant, metric);
    if (over) this.overBudget.set(key, limit);
    else this.overBudget.delete(key);
  }

  #key({ tenant, name, keyHash, scopes, revoked }: KeyDecision): void {
    for (const [hash, info] of this.keys) if (info.tenant === tenant && info.name === name) this.keys.delete(hash);
    if (!revoked) this.keys.set(toHex(keyHash), { tenant, name, scopes: new Set(scopes) });
  }
}

/** Name of a fence: its session, and its lane if it is of one. */
export function fenceKey(session: Uint8Array, lane: { partition: number; lane: number } | undefined): string {
  return lane === undefined ? toHex(session) : `${toHex(session)}.${lane.partition}.${lane.lane}`;
}

/** In no name, so that it can't be taken for a part of one. */
const BUDGET_SEPARATOR = '\n';

/** Tenant and metric of a budget's name; no metric when it is the tenant's as a whole. */
export function budgetOf(key: string): { tenant: string; metric: string } {
  const [tenant, metric = ''] = key.split(BUDGET_SEPARATOR);
  return { tenant, metric };
}

/** Name of a budget: of a tenant as a whole when `metric` is empty. */
export function budgetKey(tenant: string, metric: string): string {
  return metric === '' ? tenant : `${tenant}${BUDGET_SEPARATOR}${metric}`;
}
