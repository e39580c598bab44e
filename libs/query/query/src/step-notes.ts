import type { QueryLeaf } from '@tidemark/query-language';
import type { LeafFindings } from './leaf-findings.ts';
import { roundIntervalMs } from './steps.ts';

/** Whether a leaf leaves its step to the service. */
export function hasAutomaticStep({ rollup }: QueryLeaf): boolean {
  return rollup?.seconds === undefined && rollup?.calendar === undefined;
}

/** Whether the points of a leaf count in the steps of their timestamps alone. */
function isByTimestamp({ rollup }: QueryLeaf): boolean {
  return rollup?.method === 'count' || rollup?.method === 'points';
}

/** What an answer says about the steps of a leaf: that they were chosen, and that points stand for more than one. */
export function stepNotes(leaf: QueryLeaf, stepMs: number, findings: LeafFindings): string[] {
  const notes: string[] = [];
  const longestMs = roundIntervalMs(findings.intervalMs);
  const usualMs = roundIntervalMs(findings.usualIntervalMs);
  const step = `steps of ${stepMs / 1000} s`;
  if (hasAutomaticStep(leaf)) {
    const isFitted = usualMs > 0 && stepMs % usualMs === 0;
    const why = isFitted ? `the range and for points every ${usualMs / 1000} s` : 'the range';
    notes.push(`${step}, chosen for ${why}; use .rollup(seconds) for other steps`);
  }
  if (longestMs > stepMs && !isByTimestamp(leaf)) {
    const how =
      leaf.aggregator.type === 'percentile'
        ? 'a percentile is that of the whole interval'
        : 'amounts are spread evenly, and a value holds until the next';
    const apart = longestMs === usualMs ? `${longestMs / 1000} s` : `up to ${longestMs / 1000} s`;
    notes.push(`points of ${leaf.metric} are ${apart} apart, more than ${step}: ${how}`);
  }
  return notes;
}
