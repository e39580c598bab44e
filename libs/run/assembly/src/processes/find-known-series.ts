import { type Clock, isTidemarkError, TidemarkError } from '@tidemark/ports';
import type { TagStoreReader } from '@tidemark/store-rpc';

/** Replicas that take longer are ignored. */
const ANSWER_MS = 2000;

/**
 * Returns which series the platform knows: those that any replica of the partition knows. A replica that lags does not
 * know all of them, so every replica is asked, and a series is new only if no replica that answers knows it. Error:
 * `unavailable` when no replica answers.
 */
export async function findKnownSeries(
  replicas: readonly Pick<TagStoreReader, 'seriesTags'>[],
  clock: Clock,
  { partition, tenant, ids }: { partition: number; tenant: string; ids: readonly Uint8Array[] },
): Promise<boolean[]> {
  const late = new AbortController();
  const timer = clock.setTimer(ANSWER_MS, () => {
    late.abort(new TidemarkError('deadline_exceeded', `no answer within ${ANSWER_MS} ms`));
  });
  const known = ids.map(() => false);
  const failures: TidemarkError[] = [];
  const request = { partition, tenant, series: Buffer.concat(ids) };
  try {
    await Promise.all(
      replicas.map(async (replica) => {
        try {
          const { series } = await replica.seriesTags(request, late.signal);
          for (const [i, { metric }] of series.entries()) known[i] ||= metric !== '';
        } catch (error) {
          if (!isTidemarkError(error)) throw error;
          failures.push(error);
        }
      }),
    );
  } finally {
    timer.cancel();
  }
  if (failures.length < replicas.length) return known;
  const reason = failures[0]?.message ?? 'no store owns it';
  throw new TidemarkError('unavailable', `no store of tags/${partition} answers: ${reason}`, { partition });
}
