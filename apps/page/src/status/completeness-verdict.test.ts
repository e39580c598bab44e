import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { LaneStatus, PipelineStatus, PointPartitionStatus, SessionStatus } from '../api/api-types.ts';
import { readStatus } from '../api/read-status.ts';
import { formatClock } from '../format/format-time.ts';
import { clientsBehind } from './clients-behind.ts';
import { completenessVerdict } from './completeness-verdict.ts';

const NOW_MS = 1_760_000_100_000;
const EMPTY = readStatus({ for_operator: true });

function lane(markAgeMs: number, more: Partial<LaneStatus> = {}): LaneStatus {
  return { session: 'ab12cd34', lane: 3, open: true, markMs: NOW_MS - markAgeMs, sequence: 1, ...more };
}

function partition(number: number, watermarkAgeMs: number | undefined, more: Partial<PointPartitionStatus> = {}) {
  const fresh = readStatus({ points: [{ partition: number, offset: 10, log_next: 10 }] }).points[0];
  const watermarkMs = watermarkAgeMs === undefined ? undefined : NOW_MS - watermarkAgeMs;
  return { ...fresh, watermarkMs, coveredWatermarkMs: watermarkMs, lanes: [lane(watermarkAgeMs ?? 0)], ...more };
}

function session(renewedAgeMs: number, state = 'open'): SessionStatus {
  const fresh = readStatus({ sessions: [{ session: 'ab12cd34', process: 'intake', state }] }).sessions[0];
  return { ...fresh, renewedMs: NOW_MS - renewedAgeMs };
}

function status(more: Partial<PipelineStatus>): PipelineStatus {
  return { ...EMPTY, nowMs: NOW_MS, latenessMs: 3_000, ...more };
}

describe('the verdict', () => {
  test('when nothing is wrong, it names the time that all partitions have reached', () => {
    const verdict = completenessVerdict(status({ points: [partition(0, 200), partition(1, 900)] }));
    expect(verdict).toMatchObject({ level: 'ok', completeThroughMs: NOW_MS - 3_900, details: [] });
    expect(verdict.sentence).toBe(`all 2 partitions are complete through ${formatClock(NOW_MS - 3_900)} (3.9 s ago)`);
  });

  test('it names a silent lane with its session, and when the session is fenced', () => {
    const points = [partition(0, 200), partition(2, 8_000, { lanes: [lane(100, { lane: 1 }), lane(8_000)] })];
    const verdict = completenessVerdict(status({ points, sessions: [session(8_100)] }));
    expect(verdict.level).toBe('behind');
    expect(verdict.sentence).toBe(
      'points/2: lane 3 of session ab12 (intake) has not marked for 8.0 s; ' +
        'its session last renewed 8.1 s ago, it is fenced in 1.9 s',
    );
    expect(verdict.completeThroughMs).toBe(NOW_MS - 11_000);
  });

  test('it is that of queries where a tag store is behind or halted, and names that store', () => {
    const points = [partition(0, 200), partition(1, 300, { coveredWatermarkMs: NOW_MS - 60_000 })];
    const [tags] = readStatus({ tags: [{ partition: 1, offset: 4, log_next: 6 }] }).tags;
    const verdict = completenessVerdict(status({ points, tags: [tags] }));
    expect(verdict).toMatchObject({ level: 'behind', completeThroughMs: NOW_MS - 63_000 });
    expect(verdict.sentence).toBe(
      'tags/1 is 2 records behind its log: points have had series that it does not have for 1 min',
    );
    const halted = completenessVerdict(status({ points, tags: [{ ...tags, halted: 'why', haltedOffset: 4 }] }));
    expect(halted).toMatchObject({ level: 'blocked', completeThroughMs: NOW_MS - 63_000 });
    expect(halted.details).toEqual([]);
  });

  test('an ended lane does not delay completeness', () => {
    const points = [partition(0, 500, { lanes: [lane(60_000, { open: false }), lane(500)] })];
    expect(completenessVerdict(status({ points })).level).toBe('ok');
  });

  test('it distinguishes sessions that are fenced, alive or unknown', () => {
    const points = [partition(0, 12_000)];
    const sentence = (sessions: SessionStatus[]) => completenessVerdict(status({ points, sessions })).sentence;
    expect(sentence([session(12_000, 'fenced')])).toContain('its session is fenced');
    expect(sentence([session(500)])).toContain('its session is alive');
    expect(sentence([session(12_000)])).toContain('about to be fenced');
    expect(sentence([])).toMatch(/has not marked for 12 s$/);
  });

  test('it names a store that lags its log before the lanes whose marks the store has not read', () => {
    const points = [partition(1, 9_000, { offset: 10, logNext: 1_244 })];
    expect(completenessVerdict(status({ points })).sentence).toBe('points/1 is 1,234 records behind its log');
  });

  test('the partition furthest behind is the sentence, and the others are details', () => {
    const verdict = completenessVerdict(
      status({ points: [partition(0, 5_000), partition(1, 9_000), partition(2, 0)] }),
    );
    expect(verdict.sentence).toMatch(/^points\/1:/);
    expect(verdict.details).toEqual([expect.stringMatching(/^points\/0:/)]);
  });

  test('halts of points and tags come first', () => {
    const halted = { halted: 'wrong CRC', haltedOffset: 1_042 };
    const tags = [{ ...readStatus({ tags: [{ partition: 4 }] }).tags[0], ...halted }];
    const verdict = completenessVerdict(status({ points: [partition(0, 90_000), partition(1, 0, halted)], tags }));
    expect(verdict.level).toBe('blocked');
    expect(verdict.sentence).toBe(
      'points/1 has halted at offset 1,042: wrong CRC; it resumes after an operator skips that offset',
    );
    expect(verdict.details[0]).toMatch(/^tags\/4 has halted/);
  });

  test('a part that does not answer makes completeness unknown', () => {
    const errors = [{ part: 'points/3', code: 'unavailable', message: 'connection refused' }];
    const verdict = completenessVerdict(status({ points: [partition(0, 100)], errors }));
    expect(verdict).toMatchObject({ level: 'unknown', completeThroughMs: undefined });
    expect(verdict.sentence).toBe('points/3 does not answer: connection refused');
  });

  test('completeness is unknown before the first mark', () => {
    const verdict = completenessVerdict(
      status({ points: [partition(0, 100), partition(1, undefined, { lanes: [] })] }),
    );
    expect(verdict).toMatchObject({ level: 'unknown', completeThroughMs: undefined });
    expect(verdict.sentence).toContain('points/1 has had no mark yet');
    expect(completenessVerdict(status({})).level).toBe('unknown');
  });

  test('gaps are details and do not change the level', () => {
    const gaps = [{ topic: 'points', partition: 0, offset: 7, records: 1, reason: 'skipped' }];
    const verdict = completenessVerdict(status({ points: [partition(0, 100, { gaps })] }));
    expect(verdict).toMatchObject({ level: 'ok', details: ['points/0 has a marked gap, the newest at offset 7'] });
  });

  test('a tag store that lags is a detail, because answers wait for it', () => {
    const tags = readStatus({ tags: [{ partition: 1, offset: 5, log_next: 2_005 }] }).tags;
    const verdict = completenessVerdict(status({ points: [partition(0, 100)], tags }));
    expect(verdict.details).toEqual([expect.stringContaining('tags/1 is 2,000 records behind its log')]);
  });

  test('the level is ok only if the lowest watermark is recent', () => {
    const ages = fc.array(fc.option(fc.integer({ min: 0, max: 20_000 }), { nil: undefined }), { minLength: 1 });
    fc.assert(
      fc.property(ages, (all) => {
        const verdict = completenessVerdict(status({ points: all.map((age, i) => partition(i, age)) }));
        const known = all.filter((age) => age !== undefined);
        const isKnown = known.length === all.length;
        expect(verdict.completeThroughMs).toBe(isKnown ? NOW_MS - 3_000 - Math.max(...known) : undefined);
        expect(verdict.level === 'ok').toBe(isKnown && Math.max(...known) <= 3_000);
      }),
    );
  });
});

test('a client is one row over all partitions: connected ones first, of them the one furthest behind', () => {
  const client = (clientSession: string, frontierMs: number | undefined, latePoints = 0) => ({
    clientSession,
    tenant: 'default',
    floor: 0,
    highestSequence: 5,
    frontierMs,
    latePoints,
  });
  const points = [
    partition(0, 0, { clients: [client('aa', 900, 1), client('bb', 500), client('cc', undefined), client('dd', 100)] }),
    partition(1, 0, { clients: [client('aa', 1_000, 2)] }),
  ];
  const [one] = readStatus({ sessions: [{ client_names: { aa: 'agent a', bb: 'agent b', cc: 'job' } }] }).sessions;
  const rows = clientsBehind({ points, sessions: [one] });
  expect(
    rows.map(({ clientSession, name, frontierMs, latePoints }) => [clientSession, name, frontierMs, latePoints]),
  ).toEqual([
    ['bb', 'agent b', 500, 0],
    ['aa', 'agent a', 1_000, 3],
    ['cc', 'job', undefined, 0],
    ['dd', undefined, 100, 0],
  ]);
  const silent = { ...one, clientNames: {}, unknownReason: 'no answer' };
  const elsewhere = clientsBehind({ points, sessions: [silent] });
  expect(elsewhere.map(({ name, isConnected }) => [name, isConnected])).toEqual(Array(4).fill([undefined, undefined]));
});
