import { type Clock, isTidemarkError, TidemarkError } from '@tidemark/ports';
import type { TagStoreReader } from '@tidemark/store-rpc';

/** A replica that takes longer has no say. */
const ANSWER_MS = 2000;

/**
 * Which series the platform has already: those that any replica of the partition knows. What a replica knows stays true,
 * and one that lags does not know all; so each is asked, and a series is new only if nobody who answers knows it.
 * `unavailable` when none answers.
 */
export async function knownSeries(
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
  const reason = failures[0]?.message ?? 'nobody owns it';
  throw new TidemarkError('unavailable', `no store of tags/${partition} answers: ${reason}`, { partition });
}
