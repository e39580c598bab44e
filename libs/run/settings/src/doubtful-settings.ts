import type { Settings } from './schema.ts';

/** Shortest bucket with which queries are not slower than with the default (docs/performance.md), ms. */
const MIN_BUCKET_MS = 60_000;
const MAX_BUCKET_MS = 86_400_000;
/** The doctor takes lanes that mark less often for stalled, ms. */
const MAX_MARK_MS = 1000;

/** Returns a warning for each setting that is allowed and likely to do harm: value, recommended range, and what happens. */
export function doubtfulSettings({ store, lane, completeness, agent }: Settings): string[] {
  const warnings: string[] = [];
  const warn = (key: string, found: number, recommended: string, what: string): void => {
    warnings.push(`${key}: ${found} (recommended: ${recommended}): ${what}`);
  };
  if (store.bucketMs < MIN_BUCKET_MS) {
    const what =
      'queries read each bucket of their range, and are several times slower; a data folder keeps the value of its creation';
    warn('store.bucketMs', store.bucketMs, `${MIN_BUCKET_MS} to ${MAX_BUCKET_MS}`, what);
  }
  if (lane.markMs > MAX_MARK_MS) {
    const what =
      'complete_through does not advance for as long while nothing is sent, and tidemark doctor reports stalled lanes';
    warn('lane.markMs', lane.markMs, `up to ${MAX_MARK_MS}`, what);
  }
  const flushMs = agent.flushIntervalMs + agent.checkWaitMs;
  if (agent.enabled && completeness.latenessMs < flushMs) {
    const what = 'points of agents come late, and answers state that they are complete without them';
    const recommended = `at least ${flushMs}, which is agent.flushIntervalMs + agent.checkWaitMs`;
    warn('completeness.latenessMs', completeness.latenessMs, recommended, what);
  }
  return warnings;
}
