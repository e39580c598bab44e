import type { CheckStatus } from '@tidemark/checks';
import { LocalRefusals } from '@tidemark/client';
import type { AggregatorCounts } from '@tidemark/dogstatsd';

/** Values of gauges with a sign, which set the gauge while the setting is off. */
export const SIGNED_GAUGES = 'signedGauges';

/**
 * Collects what an agent refused: what it dropped itself, what its checks left out of what they read, and gauges with a
 * sign, which are stored but may not mean what their sender meant.
 */
export function agentRefusals(
  dropped: LocalRefusals,
  { signedGauges, signedGaugeExample }: AggregatorCounts,
  checks: readonly CheckStatus[],
): LocalRefusals {
  const all = new LocalRefusals();
  all.addAll(dropped.list);
  for (const { leftOut = [] } of checks) all.addAll(leftOut);
  if (signedGauges > 0) all.add(SIGNED_GAUGES, signedGauges, signedGaugeExample);
  return all;
}
