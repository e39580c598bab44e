import type { CheckStatus } from '@tidemark/checks';
import { LocalRefusals } from '@tidemark/client';
import type { AggregatorCounts, ServerStatus } from '@tidemark/dogstatsd';

/** Values of gauges with a sign, which set the gauge while the setting is off. */
export const SIGNED_GAUGES = 'signedGauges';
/** Datagrams that the operating system had no room for. */
const DROPPED_BY_OS = 'dropped_by_os';

/**
 * Collects what an agent refused: what it dropped itself, what its checks left out of what they read, datagrams that the
 * operating system dropped, and gauges with a sign, which are stored but may not mean what their sender meant.
 */
export function agentRefusals(
  dropped: LocalRefusals,
  { signedGauges, signedGaugeExample }: AggregatorCounts,
  checks: readonly CheckStatus[],
  servers: readonly ServerStatus[],
): LocalRefusals {
  const all = new LocalRefusals();
  all.addAll(dropped.list);
  for (const { leftOut = [] } of checks) all.addAll(leftOut);
  for (const { transport, address, droppedByOs = 0 } of servers) {
    if (droppedByOs > 0) all.add(DROPPED_BY_OS, droppedByOs, `the buffer of ${transport} ${address} was full`);
  }
  if (signedGauges > 0) all.add(SIGNED_GAUGES, signedGauges, signedGaugeExample);
  return all;
}
