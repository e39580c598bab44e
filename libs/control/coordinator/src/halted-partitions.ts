import type { HaltDecision } from '@tidemark/contract';
import { type HaltInfo, haltKey } from '@tidemark/control-log';
import type { StorePosition } from './store-position.ts';

/**
 * Judges by the positions of the stores that answered which partitions are halted: those of which each store that answered
 * is halted. A halt ends when a store is beyond it, so a store that starts again and has yet to read that far does not end
 * it. Nothing changes for a partition of which no store answered. Returns what differs from `halts`.
 */
export function judgeHalts(
  positions: readonly StorePosition[],
  halts: ReadonlyMap<string, HaltInfo>,
): Omit<HaltDecision, 'term'>[] {
  const decisions: Omit<HaltDecision, 'term'>[] = [];
  const byPartition = Map.groupBy(positions, ({ topic, partition }) => haltKey(topic, partition));
  for (const [key, stores] of byPartition) {
    const { topic, partition } = stores[0];
    const known = halts.get(key);
    const running = stores.filter(({ halted }) => halted === '');
    if (running.length === 0) {
      const offset = Math.max(...stores.map((store) => store.offset));
      if (known?.offset !== offset) decisions.push({ topic, partition, offset, halted: true });
    } else if (known !== undefined && running.some((store) => isBeyond(store, known.offset))) {
      decisions.push({ topic, partition, offset: known.offset, halted: false });
    }
  }
  return decisions;
}

/** A store that was built again at another log, which may be shorter, is beyond a halt when it has read all of that log. */
function isBeyond({ offset, logNext }: StorePosition, haltOffset: number): boolean {
  return offset > haltOffset || (logNext > 0 && logNext <= haltOffset && offset >= logNext);
}
