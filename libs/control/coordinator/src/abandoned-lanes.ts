import { toHex } from '@tidemark/bytes';
import type { ControlState, FenceInfo } from '@tidemark/control-log';
import { PROTOCOL_TIMES } from '@tidemark/model/protocol-times';
import type { StorePosition } from './store-position.ts';

/** A lane in a partition for which the watermark waits, although its session does not renew. */
export interface AbandonedLane {
  readonly session: Uint8Array;
  readonly partition: number;
  /** The fence that ended it, whose copy in the partition was lost; undefined when there is none yet. */
  readonly fence: FenceInfo | undefined;
}

interface Suspicion {
  readonly sinceMs: number;
  /** End of the partition's log at that time. */
  readonly logNext: number;
}

/**
 * Finds lanes that no renewal and no fence will end: those of a session whose registration `control` has lost before it
 * renewed, and those whose close or fence the partition has lost. The stores name the session for which the watermark waits.
 */
export class AbandonedLanes {
  readonly #suspicions = new Map<string, Suspicion>();

  /**
   * Judges what the stores report. `state` has all of `control` up to the reports, so a session that it does not know has no
   * registration. Returns lanes that are without a session for as long as a lease, as of a store that has read on since.
   */
  judge(positions: readonly StorePosition[], state: ControlState, nowMs: number): AbandonedLane[] {
    const found = new Map<string, AbandonedLane>();
    const suspected = new Set<string>();
    for (const { topic, partition, offset, logNext, slowestSession: session } of positions) {
      if (topic !== 'points' || session === undefined) continue;
      const fence = state.fences.get(toHex(session));
      if (!isEnded(state, toHex(session), fence)) continue;
      const key = `${partition}/${toHex(session)}`;
      suspected.add(key);
      const since = this.#suspicions.get(key);
      if (since === undefined) this.#suspicions.set(key, { sinceMs: nowMs, logNext });
      else if (nowMs - since.sinceMs > PROTOCOL_TIMES.leaseMs && offset >= since.logNext) {
        found.set(key, { session, partition, fence });
      }
    }
    // A lane that was found gets another lease, until the stores have read its fence.
    for (const key of this.#suspicions.keys()) if (!suspected.has(key) || found.has(key)) this.#suspicions.delete(key);
    return [...found.values()];
  }
}

/** True for a session that is not open and for which no copies of a fence are under way. */
function isEnded({ sessions }: ControlState, key: string, fence: FenceInfo | undefined): boolean {
  return sessions.get(key)?.state !== 'open' && (fence === undefined || fence.completed);
}
