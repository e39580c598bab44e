import { expect, test } from '@jest/globals';
import { SERIES_CLASS } from '@tidemark/model';
import { ChunkedOutput } from './chunked-output.ts';
import type { WrittenPage } from './group-encoder.ts';
import { numberedId } from './segment.fixture.ts';
import { Stripe } from './stripe.ts';

test('a page whose times record was not written is a programmer error, not a place at 0', () => {
  const record = { bytes: Buffer.alloc(20), offset: 0 };
  const times = { fromMs: 0, minTimeMs: 0, maxTimeMs: 1, slots: 1, points: 2 };
  const page: WrittenPage = { bytes: Buffer.alloc(30), ...times, records: [record], newRecords: [] };
  const key = { tenant: Buffer.from('t'), metric: Buffer.from('m'), seriesClass: SERIES_CLASS.reading };
  const stripe = new Stripe();
  stripe.add({ ...key, firstSeries: 0, ids: [numberedId(0)], pages: [page] });
  expect(() => [...stripe.flush(new ChunkedOutput())]).toThrow('a times record was appended');
});
