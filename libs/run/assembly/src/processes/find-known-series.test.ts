import { expect, test } from '@jest/globals';
import { Kind, type SeriesTagsRequest } from '@tidemark/contract';
import { SystemClock } from '@tidemark/node-runtime';
import { TidemarkError } from '@tidemark/ports';
import { findKnownSeries } from './find-known-series.ts';

const clock = new SystemClock();
const IDS = [1, 2, 3].map((byte) => Buffer.alloc(16, byte));

/** A replica that knows these series, by their first bytes. */
function replica(...known: number[]) {
  return {
    seriesTags: async ({ series }: SeriesTagsRequest) => {
      const ids = Array.from({ length: series.length / 16 }, (_, i) => series[i * 16]);
      return {
        series: ids.map((id) => ({ metric: known.includes(id) ? 'm' : '', kind: Kind.GAUGE, tags: [] })),
        tagsOffset: 0,
      };
    },
  };
}

const unreachable = {
  seriesTags: async () => {
    throw new TidemarkError('unavailable', 'connection refused');
  },
};
const frozen = {
  seriesTags: (_request: SeriesTagsRequest, signal?: AbortSignal): Promise<never> =>
    new Promise((_, reject) => signal?.addEventListener('abort', () => reject(signal.reason))),
};

test('a series is known when one replica knows it, even if another lags, is unreachable or is frozen', async () => {
  const asked = { partition: 0, tenant: 'default', ids: IDS };
  expect(await findKnownSeries([replica(1), replica(1, 3), unreachable], clock, asked)).toEqual([true, false, true]);
  expect(await findKnownSeries([frozen, replica(2)], clock, asked)).toEqual([false, true, false]);
});

test('the call fails when no replica answers', async () => {
  const asked = { partition: 5, tenant: 'default', ids: IDS };
  const failure = { code: 'unavailable', message: 'no store of tags/5 answers: connection refused' };
  await expect(findKnownSeries([unreachable, unreachable], clock, asked)).rejects.toMatchObject(failure);
  await expect(findKnownSeries([], clock, asked)).rejects.toThrow('no store owns it');
});
