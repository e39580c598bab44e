import { expect, test } from '@jest/globals';
import { StatusReply } from '@tidemark/contract';
import { TidemarkError } from '@tidemark/ports';
import { asAnswered, type QueryReader } from './query-reader.ts';
import { tenantReader } from './tenant-reader.ts';

const SECRET = 'store-7.internal:4273';
const ERRORS = [{ part: 'points/0', code: 'unavailable', message: `connect ECONNREFUSED ${SECRET}` }];
const GAPS = [{ topic: 'points', partition: 0, offset: 5, records: 1, reason: `${SECRET} sent it` }];
const WITHHELD = 'only operators see why';

function readerOf(reader: Partial<QueryReader>): QueryReader {
  const never = () => Promise.reject(new Error('not asked here'));
  return tenantReader({
    run: never,
    runFormulas: never,
    metrics: never,
    metric: never,
    tags: never,
    status: never,
    ...reader,
  });
}

test('answers keep which parts failed and which records were skipped, and lose the texts', async () => {
  const answer = { keys: [], errors: ERRORS, gaps: GAPS };
  const reader = readerOf({ tags: async () => answer, metrics: async () => ({ ...answer, metrics: [] }) });
  const range = { metric: 'm', fromMs: 0, toMs: 0, limit: 1 };
  for (const shown of [await reader.tags('acme', range), await reader.metrics('acme', { ...range, contains: '' })]) {
    expect(shown.errors).toEqual([{ part: 'points/0', code: 'unavailable', message: WITHHELD }]);
    expect(shown.gaps).toEqual([{ topic: 'points', partition: 0, offset: 5, records: 1, reason: WITHHELD }]);
  }
});

test('an error of a part loses its text, an error of the request keeps it', async () => {
  const ofPart = new TidemarkError('unavailable', `no part could answer: points/0: ${SECRET}`, {
    ...{ part: 'points/0', code: 'unavailable' },
  });
  const ofRequest = new TidemarkError('invalid_argument', 'query: column 3', { field: 'query' });
  const range = { query: 'sum:m{*}', fromMs: 0, toMs: 1 };
  const failing = (error: Error) => readerOf({ run: () => Promise.reject(error) }).run('acme', range, asAnswered);
  await expect(failing(ofPart)).rejects.toMatchObject({
    code: 'unavailable',
    message: 'no part could answer: points/0: unavailable',
  });
  await expect(failing(ofRequest)).rejects.toBe(ofRequest);
});

test('a status has the caller’s clients and sessions, and nothing of processes and of other tenants', async () => {
  const session = Buffer.from([1]);
  const counts = {
    series: 7,
    points: 8,
    latePoints: 9,
    duplicatePoints: 10,
    offset: 11,
    committedOffset: 12,
    logNext: 13,
  };
  const stateHashes = [{ bucketMs: 1, offset: 2, hash: SECRET }];
  const lanes = [{ session, lane: 1, open: true, markMs: 4, sequence: 5 }];
  const clients = [{ clientSession: session, tenant: 'acme', latePoints: 3 }];
  const full = StatusReply.fromPartial({
    points: [{ partition: 1, watermarkMs: 6, halted: SECRET, gaps: GAPS, ...counts, stateHashes, lanes, clients }],
    tags: [{ partition: 1, halted: SECRET, gaps: GAPS, metrics: 14, stateHash: SECRET, series: 7, offset: 11 }],
    sessions: [
      { session, process: SECRET, state: 'open', streams: 1, queuedBytes: 15, rejectedPoints: { nan: 2 } },
      { session, process: SECRET, state: 'open', queuedBytes: 15 },
      // The contract names this field. words: allow notTold
      { session, process: SECRET, state: 'open', notTold: `${SECRET} does not answer` },
    ],
    errors: ERRORS,
    replicas: [{ topic: 'points', process: SECRET, error: SECRET }],
    divergences: [{ topic: 'points', hashes: [{ process: SECRET, hash: SECRET }] }],
    forOperator: true,
    threads: [{ thread: SECRET, maxMs: 16 }],
  });
  const status = await readerOf({ status: async () => full }).status('acme');
  const text = JSON.stringify(status);
  expect(text).not.toContain(SECRET);
  expect(status.forOperator).toBe(false);
  expect(status.threads).toEqual([]);
  expect(status.points[0]).toMatchObject({ partition: 1, watermarkMs: 6, halted: WITHHELD, clients, lanes: [] });
  for (const field of Object.keys(counts) as (keyof typeof counts)[]) expect(status.points[0][field]).toBe(0);
  expect(status.tags[0]).toMatchObject({ metrics: 0, series: 0, offset: 0, stateHash: '' });
  // The second one has nothing of the tenant.
  expect(status.sessions).toMatchObject([
    { streams: 1, process: '', queuedBytes: 0, rejectedPoints: { nan: 2 } },
    // The contract names this field. words: allow notTold
    { process: '', notTold: WITHHELD },
  ]);
});
