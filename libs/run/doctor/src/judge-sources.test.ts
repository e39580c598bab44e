import { expect, test } from '@jest/globals';
import { judgeSources } from './judge-sources.ts';
import type { Observations } from './observations.ts';
import type { SourceView } from './pipeline-view.ts';

const NOW_MS = 1_000_000_000;

function seen(...sources: readonly SourceView[]): Observations {
  const sessions = [{ session: 's', process: 'intake', state: 'open', renewedMs: 1, sources }];
  const pipeline = { points: [], tags: [], sessions, latenessMs: 1, nowMs: NOW_MS, errors: [] };
  return { nowMs: NOW_MS, processes: [], pipeline, pipelineProblem: undefined, kafka: undefined };
}

const CLIENT = 'agent vm';
const WORKS: SourceView = { client: CLIENT, name: 'cpu', problem: '', sinceMs: 0 };

test('a scrape target that fails is named with its agent, since when and why, the oldest first', () => {
  const refused = { client: CLIENT, name: 'scrape a:9', problem: 'connect ECONNREFUSED', sinceMs: NOW_MS - 600_000 };
  const slow = { client: CLIENT, name: 'redis b:6379', problem: 'x'.repeat(999), sinceMs: NOW_MS - 5000 };
  expect(judgeSources(seen(slow, WORKS, refused))).toMatchObject([
    {
      kind: 'check-fails',
      severity: 'degraded',
      sinceMs: NOW_MS - 600_000,
      what:
        '2 checks or scrape targets fail: scrape a:9 of agent vm for 10 min (connect ECONNREFUSED), ' +
        `redis b:6379 of agent vm for 5.0 s (${'x'.repeat(160)}…)`,
    },
  ]);
});

test('a DogStatsD server that is not listening is a finding of its own', () => {
  const problem = 'port 8125 is in use';
  const server = { client: CLIENT, name: 'dogstatsd udp 127.0.0.1:8125', problem, sinceMs: 9 };
  expect(judgeSources(seen(WORKS, server))).toMatchObject([
    {
      kind: 'server-closed',
      severity: 'degraded',
      sinceMs: 9,
      what: 'DogStatsD is not listening: udp 127.0.0.1:8125 of agent vm: port 8125 is in use',
      next: expect.stringContaining('dogstatsd.port'),
    },
  ]);
});

test('sources that work, and an unknown status, have no finding', () => {
  expect(judgeSources(seen(WORKS))).toEqual([]);
  expect(judgeSources({ ...seen(), pipeline: undefined })).toEqual([]);
});
