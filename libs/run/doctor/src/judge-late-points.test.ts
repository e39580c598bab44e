import { expect, test } from '@jest/globals';
import { judgeLatePoints } from './judge-late-points.ts';
import type { ClientView, Observations } from './observations.ts';
import type { PipelineView } from './pipeline-view.ts';

const NOW_MS = 1_760_000_100_000;

/** Late points by client session, in each partition. */
type Late = Readonly<Record<string, number>>;

function client(clientSession: string, name: string, more: Partial<ClientView> = {}): ClientView {
  return { clientSession, tenant: 'default', name, batches: 9, firstBatchMs: 1, lastBatchMs: NOW_MS, ...more };
}

function seen(clients: readonly ClientView[], late: readonly Late[] = [], latenessMs = 3000): Observations {
  const points = late.map((counts, partition) => ({
    ...{ partition, offset: 1, logNext: 1, halted: '', haltedOffset: -1, gaps: [], lanes: [] },
    clients: Object.entries(counts).map(([clientSession, latePoints]) => ({ clientSession, latePoints })),
  }));
  const pipeline: PipelineView = { points, tags: [], sessions: [], latenessMs, nowMs: NOW_MS, errors: [] };
  const health = {
    ...{ process: 'tidemark 1', nowMs: NOW_MS, startedMs: 1, notReady: '', problems: [], volumes: [], threads: [] },
    clients,
  };
  const answer = { state: 'answered', askedMs: NOW_MS, answeredMs: NOW_MS, health } as const;
  const processes = [{ kind: 'platform', address: 'a:1', partitions: [], answer } as const];
  return { nowMs: NOW_MS, processes, pipeline, pipelineProblem: undefined, kafka: undefined };
}

test('a flush interval that does not fit into D is named with its client, its setting and its late points', () => {
  const clients = [
    client('c1', 'checkout', { flushIntervalMs: 10_000 }),
    client('c2', 'agent web-1', { flushIntervalMs: 2500, tenant: 'acme' }),
    client('c3', 'in time', { flushIntervalMs: 2000 }),
    client('c4', 'derived'),
  ];
  expect(judgeLatePoints(seen(clients, [{ c1: 1200 }, { c1: 4, other: 7 }]))).toEqual([
    {
      kind: 'late-points',
      severity: 'degraded',
      what:
        '2 clients flush too rarely for D, 3.0 s: checkout every 10 s (flushIntervalMs; 1,204 late points), ' +
        'agent web-1 of tenant acme every 2.5 s (agent.flushIntervalMs; 0 late points)',
      sinceMs: undefined,
      means: expect.stringContaining('complete_through'),
      next: 'set agent.flushIntervalMs and flushIntervalMs to at most 2.0 s, or raise completeness.latenessMs',
    },
  ]);
});

test('late points without such a setting are a note, the client with the most first', () => {
  const clients = [
    client('c1', 'checkout'),
    client('c2', 'agent web-1', { flushIntervalMs: 1000, lostMs: NOW_MS - 9 }),
  ];
  expect(judgeLatePoints(seen(clients, [{ c1: 3 }, { c1: 9, c2: 48_120 }]))).toMatchObject([
    {
      severity: 'note',
      what: '2 clients have sent late points: agent web-1 48,120, checkout 12',
      next: expect.stringContaining('completeness.latenessMs (3.0 s)'),
    },
  ]);
});

test('a client that is lost, and one without late points, has no finding', () => {
  const clients = [client('c1', 'lost', { flushIntervalMs: 10_000, lostMs: NOW_MS - 9 }), client('c2', 'well')];
  expect(judgeLatePoints(seen(clients, [{ c1: 0, c2: 0, forgotten: 5 }]))).toEqual([]);
  expect(judgeLatePoints({ ...seen(clients), pipeline: undefined })).toEqual([]);
});

test('late points of HTTP requests are a note of their own, also when there is no client', () => {
  const withNames = (observed: Observations, clientNames: Readonly<Record<string, string>>): Observations => {
    const session = { session: 's', process: 'intake', state: 'open', renewedMs: NOW_MS, clientNames };
    return { ...observed, pipeline: { ...(observed.pipeline as PipelineView), sessions: [session] } };
  };
  const names = { h: 'HTTP requests', k1: 'HTTP requests with keys', k2: 'HTTP requests with keys', c1: 'checkout' };
  const late: Late[] = [{ h: 1 }, { h: 3000, k1: 2, k2: 3 }];
  const note = {
    ...{ kind: 'late-points', severity: 'note' },
    what: 'senders over HTTP have sent late points: HTTP requests 3,001, HTTP requests with keys 5',
    next: expect.stringContaining('raise completeness.latenessMs (3.0 s)'),
  };
  expect(judgeLatePoints(withNames(seen([], late), names))).toMatchObject([note]);
  const both = judgeLatePoints(withNames(seen([client('c1', 'checkout')], [...late, { c1: 7 }]), names));
  expect(both).toMatchObject([{ what: '1 client has sent late points: checkout 7' }, note]);
  expect(judgeLatePoints(withNames(seen([], [{ h: 0 }]), names))).toEqual([]);
});
