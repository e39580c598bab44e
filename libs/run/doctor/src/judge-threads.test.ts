import { describe, expect, test } from '@jest/globals';
import { LATE_THREAD_MS } from '@tidemark/model/thread-delay';
import { judgeThreads } from './judge-threads.ts';
import type { Observations, ProcessObservation, ThreadView } from './observations.ts';

const NOW_MS = 1_760_000_100_000;

function judged(threads: readonly Partial<ThreadView>[], kind: ProcessObservation['kind'] = 'platform') {
  const health = {
    ...{ process: 'tidemark 1', nowMs: NOW_MS, startedMs: 1, notReady: '', problems: [], volumes: [], clients: [] },
    threads: threads.map((thread) => ({ thread: 'main', windowMaxMs: 4.2, windowP99Ms: 1, ...thread })),
  };
  const answer = { state: 'answered', askedMs: NOW_MS, answeredMs: NOW_MS, health } as const;
  const processes = [{ kind, address: 'a:1', partitions: [], answer }];
  const rest = { pipeline: undefined, pipelineProblem: undefined, kafka: undefined };
  return judgeThreads({ nowMs: NOW_MS, processes, ...rest } satisfies Observations);
}

describe('threads that are late', () => {
  test('are not a finding without a long delay, or when it was long ago', () => {
    expect(judged([{}, { thread: 'agent' }])).toEqual([]);
    expect(judged([{ lateMs: 9000, lateAtMs: NOW_MS - 301_000 }])).toEqual([]);
  });

  test('are a note with the longest delay of each thread, the longest of all first', () => {
    const [found, ...more] = judged([
      { lateMs: 140.4, lateAtMs: NOW_MS - 60_000 },
      { thread: 'stores 1', lateMs: 2400, lateAtMs: NOW_MS - 90_000 },
    ]);
    expect(more).toEqual([]);
    expect(found).toMatchObject({ kind: 'thread-late', severity: 'note', sinceMs: NOW_MS - 90_000 });
    expect(found.what).toBe(
      `event loops of tidemark 1 were late by more than ${LATE_THREAD_MS} ms: ` +
        'stores 1 2400 ms at 08:53:30 UTC (within the last 10 s: 4 ms), ' +
        'main 140 ms at 08:54:00 UTC (within the last 10 s: 4 ms)',
    );
  });

  test('are a fault while the main thread is late by a fifth of what ends the lease', () => {
    const late = { lateMs: 1000, lateAtMs: NOW_MS - 9000, windowMaxMs: 1000 };
    expect(judged([late], 'intake')[0]).toMatchObject({ severity: 'degraded' });
    expect(judged([late], 'intake')[0].what).toContain('tidemark 1 at a:1');
    expect(judged([{ ...late, windowMaxMs: 30 }], 'intake')[0]).toMatchObject({ severity: 'note' });
    expect(judged([{ ...late, thread: 'agent' }])[0]).toMatchObject({ severity: 'note' });
  });
});
