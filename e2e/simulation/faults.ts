import type { Random } from '@tidemark/ports';

/** Probabilities of the faults: those of the ports at each operation, the others at each poll. */
const PROBABILITIES: Readonly<Record<string, number>> = {
  'disk.full': 0.004,
  'disk.write-error': 0.004,
  'disk.sync-error': 0.004,
  'disk.slow': 0.02,
  'key-value.full': 0.02,
  'key-value.write-error': 0.02,
  'key-value.sync-error': 0.02,
  'key-value.slow': 0.03,
  'network.drop-request': 0.01,
  'network.drop-reply': 0.01,
  'network.duplicate-request': 0.03,
  'network.delay': 0.03,
  'network.break': 0.002,
  'network.late-request': 0.25,
  'log.leader-change': 0.0004,
  'log.stale-leader': 0.002,
  'crash.log': 0.008,
  'crash.coordinator': 0.008,
  'crash.intake': 0.012,
  'crash.store': 0.018,
  'crash.closing-store': 0.2,
  'crash.client': 0.008,
  'crash.query': 0.004,
  'stop.intake': 0.006,
  'network.partition': 0.025,
  'cut.intake-from-control': 0.006,
  'cut.intake-from-log': 0.012,
  'cut.client-from-intake': 0.01,
  'cut.query-from-control': 0.006,
  'pause.log': 0.004,
  'pause.intake': 0.008,
  'pause.store': 0.004,
  'pause.coordinator': 0.004,
  'pause.client': 0.004,
  'clock.jump': 0.015,
  'clock.broker': 0.01,
  'clock.wrong-at-start': 0.3,
  'clock.broker-ahead': 0.003,
  'clock.all-ahead': 0.006,
  'clock.all-behind': 0.002,
  'coordinator.usurped': 0.006,
  'map.change': 0.025,
  'replica.move': 0.01,
  'log.bit-flip': 0.5,
  'clock.query': 0.004,
  'clock.coordinator': 0.004,
  'suspend.intake': 0.006,
  'suspend.coordinator': 0.003,
  'suspend.query': 0.003,
  'control.bit-flip': 0.5,
  'log.unread-bit-flip': 0.008,
  'log.strange-record': 0.004,
};

export const FAULT_NAMES: readonly string[] = Object.keys(PROBABILITIES);

/**
 * Chooses the faults of one run. Each seed omits some and varies the others, because a run with all of them at once
 * never reaches some states (Groce et al., Swarm Testing, ISSTA 2012).
 */
export function drawFaults(random: Random): Record<string, number> {
  const faults: Record<string, number> = {};
  for (const [name, probability] of Object.entries(PROBABILITIES)) {
    if (random.next() < 0.35) continue;
    faults[name] = probability * (0.3 + 2 * random.next() ** 2);
  }
  return faults;
}
