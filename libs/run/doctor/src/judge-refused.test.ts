import { expect, test } from '@jest/globals';
import { judgeRefused } from './judge-refused.ts';
import type { Observations } from './observations.ts';
import type { RefusedView } from './pipeline-view.ts';

const NOW_MS = 1_000_000_000;

function seen(...sessions: readonly (readonly Partial<RefusedView>[])[]): Observations {
  const views = sessions.map((refused, i) => ({
    ...{ session: `${i}`, process: 'intake', state: 'open', renewedMs: 1 },
    refused: refused.map((one) => ({ stage: 'rejected', client: '', reason: 'r', count: 1, example: '', ...one })),
  }));
  const pipeline = { points: [], tags: [], sessions: views, latenessMs: 1, nowMs: NOW_MS, errors: [] };
  return { nowMs: NOW_MS, processes: [], pipeline, pipelineProblem: undefined, kafka: undefined };
}

test('one note names each reason, apart for intakes and each client, with its count and one example', () => {
  const findings = judgeRefused(
    seen(
      [
        { reason: 'value_nan', count: 2 },
        { reason: 'value_nan', stage: 'client', client: 'shop', example: 'NaN of a' },
      ],
      [{ reason: 'line_malformed', count: 1200, stage: 'client', client: 'agent web-1', example: 'no value' }],
      [
        { reason: 'body_too_large', count: 5, stage: 'violation' },
        { reason: 'unseen', count: 0 },
      ],
    ),
  );
  expect(findings).toMatchObject([
    {
      kind: 'data-refused',
      severity: 'note',
      what:
        'data was refused since the processes started: line_malformed 1,200 (for example: no value; by agent web-1), ' +
        'body_too_large 5, value_nan 2, value_nan 1 (for example: NaN of a; by shop)',
      next: expect.stringContaining('status has every reason'),
    },
  ]);
});

test('it says from when on the counts are, and when the last one was', () => {
  const [one, ...others] = judgeRefused(
    seen(
      [{ reason: 'value_nan', sinceMs: NOW_MS - 60_000, lastMs: NOW_MS - 30_000 }],
      [
        { reason: 'value_nan', sinceMs: NOW_MS - 90_000, lastMs: NOW_MS - 5_000 },
        { reason: 'line_malformed', stage: 'client', client: 'agent', sinceMs: 0, lastMs: NOW_MS - 80_000 },
      ],
    ),
  );
  expect(one.sinceMs).toBe(NOW_MS - 90_000);
  expect(one.what).toContain('value_nan 2 (the last 5.0 s ago), line_malformed 1 (by agent; the last 1 min 20 s ago)');
  expect(others).toEqual([]);
});

test('datagrams that the operating system dropped are a finding of their own, with the setting of the buffer', () => {
  const dropped = { stage: 'client', client: 'agent web-1', reason: 'dropped_by_os', count: 1200, example: 'udp' };
  expect(judgeRefused(seen([dropped, { reason: 'value_nan' }]))).toMatchObject([
    { kind: 'data-refused', what: expect.not.stringContaining('dropped_by_os') },
    {
      kind: 'datagrams-dropped',
      severity: 'note',
      what:
        'DogStatsD datagrams were dropped by the operating system since the agents started: dropped_by_os 1,200 ' +
        '(for example: udp; by agent web-1)',
      next: expect.stringContaining('dogstatsd.receiveBufferBytes'),
    },
  ]);
});

test('gauges with a sign name the setting that makes them changes, and what is left out is not an error', () => {
  const signed = { stage: 'client', client: 'agent web-1', reason: 'signedGauges', count: 3, example: 'queue:+5|g' };
  expect(
    judgeRefused(seen([signed, { stage: 'left_out', reason: 'exemplar', count: 7, example: 'a_total' }])),
  ).toMatchObject([
    {
      kind: 'gauges-signed',
      what: 'gauges with a sign have set the gauge: signedGauges 3 (for example: queue:+5|g; by agent web-1)',
      next: expect.stringContaining('statsd.gaugeDeltas'),
    },
    { kind: 'data-left-out', what: expect.stringContaining('exemplar 7 (for example: a_total)') },
  ]);
  expect(judgeRefused(seen([]))).toEqual([]);
});

test('long examples and many reasons are cut', () => {
  const many = Array.from({ length: 9 }, (_, i) => ({ reason: `r${i}`, count: 9 - i, example: 'x'.repeat(500) }));
  const [{ what }] = judgeRefused(seen(many));
  expect(what).toContain(`r0 9 (for example: ${'x'.repeat(120)}…)`);
  expect(what).toMatch(/r4 5 \(.*\) and 4 more reasons$/);
});
