import { expect, test } from '@jest/globals';
import { finishAtOnce } from '@tidemark/ports';
import { DEFAULT_DATADOG_LIMITS, openPayload } from './index.ts';
import { RecordingSink } from './recording-sink.fixture.ts';

const T = 1_700_000_000;
const RECEIVED_MS = T * 1000 + 12_345;

test('a check becomes a gauge of its status, alone or in a list', async () => {
  const check = {
    check: 'db.can_connect',
    status: 2,
    timestamp: T,
    host_name: 'web-1',
    tags: ['env:prod'],
    message: 'x',
  };
  const point = `gauge service_check.db.can_connect{env:prod,host:web-1} ${T * 1000} 2`;
  expect((await take(check)).points).toEqual([point]);
  expect((await take([check, { check: 'up', status: 0 }])).points).toEqual([
    point,
    `gauge service_check.up{} ${RECEIVED_MS} 0`,
  ]);
  expect((await take([])).refusals).toEqual([]);
});

test('a wrong check is refused by its field, and the others are read', async () => {
  const { points, refusals, examples } = await take([
    7,
    { status: 0 },
    { check: '', status: 0 },
    { check: 'a', status: 4 },
    { check: 'a', status: 1.5 },
    { check: 'a', status: 'OK' },
    { check: 'a' },
    { check: 'b', status: 0, timestamp: 'now' },
    { check: 'c', status: 0, host_name: 5 },
    { check: 'c', status: 0, tags: [5] },
    { check: 'n'.repeat(200), status: 0 },
    { check: 'good', status: 3, timestamp: T },
  ]);
  expect(points).toEqual([`gauge service_check.good{} ${T * 1000} 3`]);
  expect(refusals).toEqual([
    '1 check_invalid (check: an object)',
    '2 check_invalid (check: a name of at least 1 byte)',
    '4 status_unknown (status: 0 (OK), 1 (warning), 2 (critical) or 3 (unknown))',
    '1 timestamp_invalid (points.timestamp: seconds since the epoch)',
    '1 host_invalid (host_name: a string)',
    '1 tags_invalid (tags: a list of strings)',
    '1 metric_too_long (metric: 200 bytes)',
  ]);
  expect(examples).toContain('status "OK" of metric service_check.a');
});

test('a body that is not JSON is refused', async () => {
  await expect(take('{')).rejects.toMatchObject({ detail: { reason: 'body_malformed' } });
});

async function take(body: unknown): Promise<RecordingSink> {
  const sink = new RecordingSink();
  const opened = await openPayload(
    {
      form: 'checks',
      body: Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)),
      contentType: undefined,
      contentEncoding: undefined,
      receivedMs: RECEIVED_MS,
    },
    DEFAULT_DATADOG_LIMITS,
  );
  finishAtOnce(opened(sink));
  return sink;
}
