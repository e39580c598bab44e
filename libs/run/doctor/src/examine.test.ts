import { describe, expect, test } from '@jest/globals';
import { examine } from './examine.ts';
import { byWeight, FINDING_KINDS, type Finding, runbookOf } from './finding.ts';
import type { ClientView, HealthView, Observations, ProblemView, ProcessObservation } from './observations.ts';
import type { LaneView, PipelineView, PointPartitionView, ReplicaView, SessionView } from './pipeline-view.ts';

const NOW_MS = 1_760_000_100_000;
const SESSION = 'ab12cd34';
const GIB = 1024 ** 3;

function health(more: Partial<HealthView> = {}): HealthView {
  return {
    ...{ process: 'tidemark 1', nowMs: NOW_MS, startedMs: NOW_MS - 60_000, notReady: '', problems: [], clients: [] },
    threads: [],
    volumes: [{ folder: '/data', freeBytes: 20 * GIB, totalBytes: 100 * GIB }],
    ...more,
  };
}

function answered(more: Partial<HealthView> = {}, of: Partial<ProcessObservation> = {}): ProcessObservation {
  const answer = {
    state: 'answered',
    askedMs: NOW_MS - 5,
    answeredMs: NOW_MS + 5,
    health: health(more),
  } as const;
  return { kind: 'platform', address: '127.0.0.1:4271', partitions: [], answer, ...of };
}

function unanswered(
  kind: ProcessObservation['kind'],
  address: string,
  reason: string,
  partitions: readonly number[] = [],
): ProcessObservation {
  return { kind, address, partitions, answer: { state: 'silent', reason } };
}

function lane(markAgeMs: number, more: Partial<LaneView> = {}): LaneView {
  return { session: SESSION, lane: 3, open: true, markMs: NOW_MS - markAgeMs, ...more };
}

function points(partition: number, ageMs: number, more: Partial<PointPartitionView> = {}): PointPartitionView {
  return {
    ...{ partition, offset: 10, logNext: 10, halted: '', haltedOffset: -1, gaps: [] },
    ...{ watermarkMs: NOW_MS - ageMs, coveredWatermarkMs: NOW_MS - ageMs },
    lanes: [lane(ageMs)],
    ...more,
  };
}

function session(renewedAgeMs: number, more: Partial<SessionView> = {}): SessionView {
  return { session: SESSION, process: 'intake 7', state: 'open', renewedMs: NOW_MS - renewedAgeMs, ...more };
}

function pipeline(more: Partial<PipelineView> = {}): PipelineView {
  const tags = [{ partition: 0, offset: 5, logNext: 5, halted: '', haltedOffset: -1, gaps: [] }];
  return {
    ...{ points: [points(0, 300)], tags, sessions: [session(400)], latenessMs: 3000, nowMs: NOW_MS, errors: [] },
    ...more,
  };
}

function seen(more: Partial<Observations> = {}): Observations {
  const rest = { pipelineProblem: undefined, kafka: undefined };
  return { nowMs: NOW_MS, processes: [answered()], pipeline: pipeline(), ...rest, ...more };
}

function problem(kind: string, more: Partial<ProblemView> = {}): ProblemView {
  return { kind, part: '', code: 'unavailable', reason: 'it is so', sinceMs: NOW_MS - 9000, ...more };
}

/** Expects exactly one finding and returns it. */
function only(observations: Observations): Finding {
  const { findings } = examine(observations);
  expect(findings.map(({ what }) => what)).toHaveLength(1);
  return findings[0];
}

describe('a healthy system', () => {
  test('has no findings, and one line that lists what was checked', () => {
    const examination = examine(seen());
    expect(examination).toEqual({
      outcome: 'healthy',
      findings: [],
      looked: '1 of 1 process, 1 partition, 1 open session, 0 clients, 1 disk (20.0 GiB free)',
    });
  });

  test('is still healthy when its only findings are notes', () => {
    const gaps = [{ topic: 'points', partition: 0, offset: 7 }];
    const { outcome, findings } = examine(seen({ pipeline: pipeline({ points: [points(0, 300, { gaps })] }) }));
    expect(outcome).toBe('healthy');
    expect(findings).toMatchObject([{ kind: 'gap', severity: 'note' }]);
  });
});

describe('processes', () => {
  test('the doctor is blind when no process answers', () => {
    const processes = [unanswered('platform', '127.0.0.1:4271', 'the connection is refused')];
    const examination = examine(seen({ processes, pipeline: undefined, pipelineProblem: 'refused' }));
    expect(examination.outcome).toBe('blind');
    expect(examination.findings).toMatchObject([
      { kind: 'process-silent', severity: 'broken', next: expect.stringContaining('npm start') },
    ]);
  });

  test('a silent store is more severe when no other process owns its partitions', () => {
    const silent = unanswered('point store', 'b:1', 'nothing came within 5 s', [0, 1]);
    const replica = answered({}, { kind: 'point store', address: 'a:1', partitions: [0, 1, 2] });
    expect(only(seen({ processes: [replica, silent] }))).toMatchObject({
      severity: 'degraded',
      means: expect.stringContaining('other replicas'),
    });
    const half = answered({}, { kind: 'point store', address: 'a:1', partitions: [0] });
    expect(only(seen({ processes: [half, silent] }))).toMatchObject({
      severity: 'broken',
      what: 'the point store at b:1 does not answer and no other process owns 1 of its partitions (1): nothing came within 5 s',
    });
  });

  test('a silent intake is broken when it is the last one, and a silent coordinator is only degraded', () => {
    const silent = unanswered('intake', 'a:1', 'the connection is refused');
    expect(only(seen({ processes: [silent] })).severity).toBe('broken');
    const other = answered({}, { kind: 'intake', address: 'a:2' });
    expect(only(seen({ processes: [silent, other] })).severity).toBe('degraded');
    const coordinator = unanswered('coordinator', 'a:3', 'the connection is refused');
    expect(only(seen({ processes: [coordinator] })).severity).toBe('degraded');
  });

  test('a process that refuses to report its health leads to a finding with the key to use', () => {
    const answer = { state: 'refused', reason: 'a key is needed' } as const;
    expect(only(seen({ processes: [answered({}, { answer })] }))).toMatchObject({
      kind: 'process-refuses',
      next: expect.stringContaining('admin'),
    });
  });

  test('health that is withheld from a key of one tenant is a note, and problems that this key shows are found', () => {
    const answer = { state: 'refused', reason: 'only operators can read it' } as const;
    const processes = [answered({}, { answer }), answered({}, { answer, address: 'b:1' })];
    const withheld = seen({ processes, pipeline: pipeline({ forOperator: false, sessions: [] }) });
    expect(examine(withheld).outcome).toBe('healthy');
    expect(only(withheld)).toMatchObject({
      kind: 'process-refuses',
      severity: 'note',
      what: 'this key does not show the health of the platform at 127.0.0.1:4271, the platform at b:1: only operators can read it',
    });
    const behind = pipeline({ forOperator: false, sessions: [], points: [points(0, 60_000)] });
    expect(examine(seen({ processes, pipeline: behind }))).toMatchObject({
      outcome: 'ill',
      findings: [{ kind: 'store-lags' }, { kind: 'process-refuses', severity: 'note' }],
    });
    expect(examine(seen({ processes, pipeline: undefined, pipelineProblem: 'refused' })).outcome).toBe('blind');
  });

  test('a process that is not ready is reported once, with its reason', () => {
    const starting = answered({ notReady: 'catching up: 2 of 4 partitions' });
    expect(only(seen({ processes: [starting] }))).toMatchObject({
      kind: 'process-not-ready',
      severity: 'degraded',
      means: 'it does not do its work now',
      sinceMs: NOW_MS - 60_000,
    });
    const store = answered({ notReady: 'catching up' }, { kind: 'point store' });
    expect(only(seen({ processes: [store] })).means).toContain('other processes of its kind');
    const withProblem = answered({ notReady: 'it is so', problems: [problem('intake')] });
    expect(only(seen({ processes: [withProblem] })).kind).toBe('intake-refuses');
  });

  test('a process that is not ready in its first 15 s is a note', () => {
    const fresh = answered({ notReady: 'starting', startedMs: NOW_MS - 14_000 });
    expect(only(seen({ processes: [fresh] }))).toMatchObject({ kind: 'process-not-ready', severity: 'note' });
  });

  test('a missing status is a finding, unless the process is silent or starting', () => {
    const without = { pipeline: undefined, pipelineProblem: 'a key is needed' };
    expect(only(seen(without))).toMatchObject({ kind: 'part-unanswered', what: expect.stringContaining('a key') });
    const starting = answered({ notReady: 'starting' });
    expect(only(seen({ ...without, processes: [starting] })).kind).toBe('process-not-ready');
  });
});

describe('clocks', () => {
  test('a clock that differs by more than the time of an answer and a second is named', () => {
    const processes = [
      answered({ nowMs: NOW_MS + 900 }, { address: 'a' }),
      answered({ nowMs: NOW_MS + 3005 }, { address: 'b' }),
      answered({ nowMs: NOW_MS - 65_005 }, { address: 'c' }),
    ];
    expect(only(seen({ processes }))).toMatchObject({
      kind: 'clock-off',
      severity: 'broken',
      what: expect.stringMatching(/platform b is 3\.0 s ahead, platform c is 1 min 5 s behind$/),
    });
  });

  test('a slow answer is not a reason to doubt a clock', () => {
    const slow = answered({ nowMs: NOW_MS - 4000 });
    const answer = { ...slow.answer, askedMs: NOW_MS - 5000 } as ProcessObservation['answer'];
    expect(examine(seen({ processes: [{ ...slow, answer }] })).findings).toEqual([]);
  });

  test('when the clocks of all of several processes differ, the clock of this machine is off', () => {
    const off = { nowMs: NOW_MS + 7000 };
    const processes = [answered(off, { address: 'a' }), answered(off, { address: 'b' })];
    expect(only(seen({ processes })).what).toMatch(/^the clock of this machine differs from all 2/);
  });
});

describe('problems that processes report', () => {
  test('parts with the same problem are one finding, which is as old as the oldest', () => {
    const full = { code: 'resource_exhausted', reason: 'the log is full' };
    const problems = [0, 1, 2].map((i) =>
      problem('lane', { ...full, part: `points/${i}`, sinceMs: NOW_MS - i * 1000 }),
    );
    expect(only(seen({ processes: [answered({ problems })] }))).toMatchObject({
      kind: 'log-full',
      severity: 'broken',
      sinceMs: NOW_MS - 2000,
      what: "tidemark 1 can't append to 3 partitions (points/0, points/1, points/2) because the log is full: the log is full",
    });
  });

  test.each([
    ['clock', 'unavailable', 'clock-off'],
    ['intake', 'unavailable', 'intake-refuses'],
    ['lane', 'unavailable', 'lane-stalled'],
    ['store', 'unavailable', 'store-fails'],
    ['store', 'resource_exhausted', 'disk-full'],
    ['store', 'data_loss', 'store-fails'],
    ['control', 'unavailable', 'control'],
    ['coordinator', 'unavailable', 'coordinator'],
    ['trim', 'unavailable', 'trim'],
    ['snapshot', 'unavailable', 'no-snapshot'],
    ['archive', 'unavailable', 'not-archived'],
    ['damage', 'data_loss', 'store-fails'],
    ['budget', 'resource_exhausted', 'over-budget'],
    ['rebuilt', 'data_loss', 'database-rebuilt'],
    ['disk', 'resource_exhausted', 'disk-full'],
    ['disk', 'unavailable', 'disk-fails'],
    ['of a later version', 'unavailable', 'process-not-ready'],
  ])('a problem of kind "%s" (%s) becomes a finding of kind %s', (kind, code, finding) => {
    const problems = [problem(kind, { code, part: 'points/1' })];
    const found = only(seen({ processes: [answered({ problems })] }));
    expect(found).toMatchObject({ kind: finding, sinceMs: NOW_MS - 9000, what: expect.stringContaining('it is so') });
  });
});

test('a disk without space is the first finding, is called full, and is the cause that the log takes nothing', () => {
  const code = 'resource_exhausted';
  const problems = [
    problem('lane', { code, part: 'points/0', reason: 'cannot write 000: ENOSPC: no space left on device, write' }),
    problem('disk', { code, part: '/data', reason: '0 MiB of 24 MiB are free for /data' }),
  ];
  expect(examine(seen({ processes: [answered({ problems })] })).findings).toMatchObject([
    { kind: 'disk-full', severity: 'broken', what: 'a disk of tidemark 1 is full: 0 MiB of 24 MiB are free for /data' },
    {
      kind: 'log-full',
      what: expect.stringContaining('because the disk of the log is full'),
      next: expect.stringMatching(/^run df -h/),
    },
  ]);
  const some = [problem('disk', { code, part: '/data', reason: '10 MiB of 20480 MiB are free for /data' })];
  expect(only(seen({ processes: [answered({ problems: some })] }))).toMatchObject({
    severity: 'degraded',
    what: expect.stringContaining('nearly full'),
  });
});

test('a database that is built again from a log that halts keeps its folder, and its trim is not reported', () => {
  const rebuilt = problem('rebuilt', { code: 'data_loss', part: 'points/1', reason: 'moved to points/1.damaged-7' });
  const others = ['halt', 'trim'].map((kind) => problem(kind, { code: 'data_loss', part: 'points/1' }));
  const halted = points(1, 0, { halted: 'the record at offset 9 is lost', haltedOffset: 9 });
  const { findings } = examine(
    seen({ processes: [answered({ problems: [rebuilt, ...others] })], pipeline: pipeline({ points: [halted] }) }),
  );
  expect(findings.map(({ kind, next }) => [kind, next])).toEqual([
    ['partition-halted', expect.stringMatching(/^keep the folders points\/1\.damaged-\*.* skip points 1 9 /)],
    ['database-rebuilt', expect.stringMatching(/; keep the folders \*\.damaged-\*/)],
  ]);
});

test('the finding of lost records of control has the command with their offset', () => {
  const lost = (offset: number) => problem('control-lost', { code: 'data_loss', part: `offset ${offset}` });
  const nextOf = (...offsets: readonly number[]) =>
    examine(seen({ processes: [answered({ problems: offsets.map(lost) })] })).findings[0].next;
  expect(nextOf(1204)).toMatch(/ skip control 0 1204 --reason WHY$/);
  expect(nextOf(1204, 1300)).toMatch(/ skip control 0 1204 --reason WHY, and the same for each of the other offsets$/);
});

test('databases that were built again are a note with their folders and the time, and not a fault of now', () => {
  const reason = 'moved to points/1.damaged-7 of the data folder: wrong checksum';
  const problems = [0, 1].map((i) => problem('rebuilt', { code: 'data_loss', part: `points/${i}`, reason }));
  const examination = examine(seen({ processes: [answered({ problems })] }));
  expect(examination).toMatchObject({
    outcome: 'healthy',
    findings: [
      {
        severity: 'note',
        sinceMs: NOW_MS - 9000,
        what: `2 lost or damaged databases of tidemark 1 (points/0, points/1) were made again from the log or a snapshot: ${reason}`,
        next: expect.stringMatching(/^check the disk/),
      },
    ],
  });
});

describe('partitions and sessions', () => {
  test('the finding of a halted partition has its offset, its age and the command', () => {
    const halted = points(3, 90_000, { halted: 'wrong checksum', haltedOffset: 184_467 });
    const problems = [problem('halt', { part: 'points/3', code: 'data_loss' })];
    const { findings } = examine(
      seen({ processes: [answered({ problems })], pipeline: pipeline({ points: [points(0, 1), halted] }) }),
    );
    expect(findings[0]).toMatchObject({
      kind: 'partition-halted',
      what: 'points/3 is halted at offset 184467: wrong checksum',
      sinceMs: NOW_MS - 9000,
      next: expect.stringContaining('npm run -s tidemark -- skip points 3 184467 --reason'),
    });
  });

  test('a database that is damaged is the only finding of its partition, before what follows from it', () => {
    const reason = 'the database points/1 is damaged, …';
    const damaged = {
      ...points(1, 0, { halted: reason }),
      watermarkMs: undefined,
      coveredWatermarkMs: undefined,
      lanes: [],
    };
    const problems = [problem('coordinator', { code: 'unavailable', part: '' })];
    const { findings } = examine(
      seen({ processes: [answered({ problems })], pipeline: pipeline({ points: [points(0, 1), damaged] }) }),
    );
    expect(findings.map(({ kind }) => kind)).toEqual(['partition-halted', 'coordinator']);
    expect(findings[0]).toMatchObject({
      what: `points/1 is halted: ${reason}`,
      next: expect.stringMatching(/what the reason says/),
    });
  });

  test('stores that lag are one finding with their records', () => {
    const all = [
      points(0, 8000, { logNext: 1244 }),
      points(1, 9000, { logNext: 11 }),
      points(2, 100, { logNext: 500 }),
    ];
    const tags = [{ partition: 4, offset: 5, logNext: 2005, halted: '', haltedOffset: -1, gaps: [] }];
    expect(only(seen({ pipeline: pipeline({ points: all, tags }) }))).toMatchObject({
      kind: 'store-lags',
      sinceMs: NOW_MS - 9000,
      what: '3 stores are behind the log: points/1 by 1 record, points/0 by 1,234 records, tags/4 by 2,000 records, the oldest watermark is 9.0 s old',
    });
  });

  test('a dead session is one finding for all partitions that it holds back, and an overdue fence points at the coordinator', () => {
    const all = [points(0, 7000), points(1, 7000)];
    expect(only(seen({ pipeline: pipeline({ points: all, sessions: [session(7000)] }) }))).toMatchObject({
      kind: 'session-dead',
      sinceMs: NOW_MS - 7000,
      what: 'session ab12 (intake 7) is dead: it last renewed 7.0 s ago, and holds back 2 partitions (points/0, points/1)',
      next: expect.stringMatching(/^nothing: it is fenced 10 s/),
    });
    const overdue = only(seen({ pipeline: pipeline({ points: all, sessions: [session(16_000)] }) }));
    expect(overdue.next).toMatch(/coordinator/);
  });

  test('a fenced session is broken until its lanes are fenced, and then a note', () => {
    const fenced = session(12_000, { state: 'fenced' });
    const held = pipeline({ points: [points(0, 12_000)], sessions: [fenced] });
    expect(only(seen({ pipeline: held }))).toMatchObject({ kind: 'session-dead', severity: 'broken' });
    const over = pipeline({ sessions: [session(300, { session: 'ffff' }), fenced] });
    expect(only(seen({ pipeline: over }))).toMatchObject({ kind: 'session-fenced', severity: 'note' });
    const more = Array.from({ length: 20 }, (_, i) => session(30_000 + i, { session: `${i}aaaa`, state: 'fenced' }));
    const all = only(seen({ pipeline: pipeline({ sessions: [session(300, { session: 'ffff' }), ...more, fenced] }) }));
    expect(all).toMatchObject({ kind: 'session-fenced', severity: 'note', sinceMs: NOW_MS - 12_000 });
    expect(all.what).toBe(
      '21 sessions were fenced in the last 5 min, because they had stopped renewing: ab12 (intake 7), 0aaa (intake 7), ' +
        '1aaa (intake 7), 2aaa (intake 7), 3aaa (intake 7), 4aaa (intake 7), 5aaa (intake 7) and 14 more',
    );
    const longAgo = pipeline({ sessions: [session(300), session(400_000, { session: 'ee', state: 'fenced' })] });
    expect(examine(seen({ pipeline: longAgo })).findings).toEqual([]);
  });

  test('lanes that do not advance although their session is alive point at the log', () => {
    const all = [points(0, 8000), points(2, 9000)];
    expect(only(seen({ pipeline: pipeline({ points: all }) }))).toMatchObject({
      kind: 'lane-stalled',
      what: 'lanes of session ab12 (intake 7) have not marked for 9.0 s in points/2, points/0, although the session is alive',
    });
  });

  test('partitions without a lane are one finding', () => {
    const all = [
      points(0, 8000, { lanes: [lane(1, { open: false })] }),
      { ...points(1, 0), watermarkMs: undefined, coveredWatermarkMs: undefined, lanes: [] },
    ];
    expect(only(seen({ pipeline: pipeline({ points: all }) }))).toMatchObject({
      kind: 'no-lane',
      what: 'no intake has a lane in 2 partitions (points/1, points/0)',
      sinceMs: NOW_MS - 8000,
    });
  });

  test('parts that do not answer queries are named', () => {
    const errors = [
      { part: 'points/3', message: 'connection refused' },
      { part: 'tags/3', message: 'x' },
    ];
    expect(only(seen({ pipeline: pipeline({ errors }) })).what).toBe(
      'points/3, tags/3 do not answer queries: connection refused',
    );
  });
});

describe('replicas', () => {
  const replica = (process: string, offset: number, more: Partial<ReplicaView> = {}): ReplicaView => {
    const position = { offset, halted: '', haltedOffset: -1 };
    return { topic: 'points', partition: 0, process, state: 'live', seenMs: NOW_MS, position, ...more };
  };

  test('a replica that is far behind the most advanced is named with its records, once for all partitions', () => {
    const replicas = [
      replica('a:1', 5000),
      replica('b:1', 4950),
      replica('c:1', 1000, { state: 'lost', seenMs: NOW_MS - 8000 }),
      replica('a:1', 700, { partition: 1 }),
      replica('c:1', 20, { partition: 1, state: 'lost', seenMs: NOW_MS - 8000 }),
    ];
    expect(only(seen({ pipeline: pipeline({ replicas }) }))).toMatchObject({
      kind: 'replica-behind',
      severity: 'degraded',
      sinceMs: NOW_MS - 8000,
      what:
        'the store at c:1 is behind the most advanced replica: points/0 by 4,000 records, points/1 by 680 records, ' +
        'and does not answer',
    });
  });

  test('a replica that is halted while another continues is distinguished from a damaged record', () => {
    const position = { offset: 4990, halted: 'wrong checksum', haltedOffset: 4990 };
    const replicas = [replica('a:1', 5000), replica('b:1', 0, { position })];
    expect(only(seen({ pipeline: pipeline({ replicas }) }))).toMatchObject({
      kind: 'partition-halted',
      severity: 'degraded',
      what: 'the replica of points/0 at b:1 is halted at offset 4990: wrong checksum',
      next: expect.stringMatching(/^do not skip/),
    });
    const points0 = points(0, 300, { halted: 'wrong checksum', haltedOffset: 4990 });
    const { findings } = examine(seen({ pipeline: pipeline({ points: [points0], replicas }) }));
    expect(findings.map(({ what }) => what)).toEqual(['points/0 is halted at offset 4990: wrong checksum']);
  });

  test('replicas that differ are named with the hash of each', () => {
    const hashes = [
      { process: 'a:1', hash: '12abcdef' },
      { process: 'b:1', hash: '34abcdef' },
    ];
    const divergences = [{ topic: 'points', partition: 3, offset: 9000, hashes, foundMs: NOW_MS - 60_000 }];
    expect(only(seen({ pipeline: pipeline({ divergences }) }))).toMatchObject({
      kind: 'replica-differs',
      severity: 'broken',
      sinceMs: NOW_MS - 60_000,
      what: 'replicas of points/3 differ at offset 9,000: a:1 has 12ab, b:1 has 34ab',
    });
  });
});

describe('agents', () => {
  const client = (more: Partial<ClientView>): ClientView => ({
    ...{ clientSession: 'c1', tenant: 'default', name: 'agent web-1', batches: 100 },
    ...{ firstBatchMs: NOW_MS - 100_000, lastBatchMs: NOW_MS - 500, frontierMs: NOW_MS - 1500 },
    ...more,
  });
  const withClients = (...clients: ClientView[]) => seen({ processes: [answered({ clients })] });

  test('an agent that delivers its points in time is not a finding', () => {
    expect(examine(withClients(client({}))).findings).toEqual([]);
  });

  test('an agent that delivers old points is behind by its own promise', () => {
    expect(only(withClients(client({ frontierMs: NOW_MS - 95_000 })))).toMatchObject({
      kind: 'agent-behind',
      what: '1 client is delivering late data: agent web-1 by 1 min 35 s',
      sinceMs: NOW_MS - 95_000,
    });
  });

  test('an agent that is connected and silent is named; another program may pause', () => {
    const silent = { lastBatchMs: NOW_MS - 20_000, frontierMs: NOW_MS - 21_000 };
    expect(only(withClients(client(silent))).what).toBe('1 agent is connected but silent: agent web-1 for 20 s');
    expect(examine(withClients(client({ ...silent, name: 'checkout' }))).findings).toEqual([]);
    // Its usual interval is 10 s: 20 s are not enough.
    const slow = client({ ...silent, batches: 9 });
    expect(examine(withClients(slow)).findings).toEqual([]);
  });

  test('a lost agent is named until it, or another run of it, connects again', () => {
    const lost = client({ lostMs: NOW_MS - 30_000, tenant: 'acme' });
    expect(only(withClients(lost))).toMatchObject({
      kind: 'agent-lost',
      what: '1 agent has left and not reconnected: agent web-1 of tenant acme for 30 s',
    });
    const nextRun = client({ clientSession: 'c2', tenant: 'acme' });
    expect(examine(withClients(lost, nextRun)).findings).toEqual([]);
    expect(examine(withClients(client({ lostMs: NOW_MS - 3000 }))).findings).toEqual([]);
    expect(examine(withClients(client({ lostMs: NOW_MS - 30_000, name: 'checkout' }))).findings).toEqual([]);
    // It is connected to another intake.
    const elsewhere = [
      answered({ clients: [lost] }),
      answered({ clients: [client({ tenant: 'acme' })] }, { address: 'b' }),
    ];
    expect(examine(seen({ processes: elsewhere })).findings).toEqual([]);
  });
});

describe('Kafka', () => {
  const brokers = ['a:1', 'b:1', 'c:1'];
  const kafka = { brokers, unreachable: [], problem: '', topics: [] };

  test('one silent broker is named, and all of them are more severe', () => {
    expect(examine(seen({ kafka })).outcome).toBe('healthy');
    const one = [{ broker: 'b:1', reason: 'refused' }];
    expect(only(seen({ kafka: { ...kafka, unreachable: one } }))).toMatchObject({
      severity: 'degraded',
      what: '1 broker of 3 does not answer (b:1): refused',
    });
    const all = brokers.map((broker) => ({ broker, reason: 'refused' }));
    expect(only(seen({ kafka: { ...kafka, unreachable: all } }))).toMatchObject({ severity: 'broken' });
    expect(only(seen({ kafka: { ...kafka, problem: 'bad credentials' } })).what).toMatch(/^no broker of .*bad cred/);
  });

  test('wrong topics are reported with the message of the check', () => {
    const topics = ['points has min.insync.replicas 1 (limit: at least 2)'];
    expect(only(seen({ kafka: { ...kafka, topics } }))).toMatchObject({ kind: 'topics', what: topics[0] });
  });
});

test('the most severe finding comes first, and causes come before consequences', () => {
  const at = (kind: Finding['kind'], severity: Finding['severity'], sinceMs?: number): Finding => {
    return { kind, severity, sinceMs, what: `${kind} ${sinceMs}`, means: '', next: '' };
  };
  const sorted = [
    at('kafka', 'broken'),
    at('lane-stalled', 'broken', 5),
    at('lane-stalled', 'broken', 9),
    at('session-dead', 'broken'),
    at('process-silent', 'degraded'),
    at('gap', 'note'),
  ];
  expect([...sorted].reverse().sort(byWeight)).toEqual(sorted);
});

test('a hundred partitions are counted, not listed', () => {
  const all = Array.from({ length: 100 }, (_, i) => points(i, 8000));
  const { what } = only(seen({ pipeline: pipeline({ points: all, sessions: [session(8000)] }) }));
  expect(what).toMatch(/100 partitions \(points\/0, .*points\/6 and 93 more\)$/);
});

test('every kind of finding has a page', () => {
  for (const kind of FINDING_KINDS) expect(runbookOf(kind)).toMatch(/^docs\/operations\/doctor\.md#[a-z-]+$/);
});

describe('the time of the log', () => {
  const kinds = (of: Partial<PipelineView>) =>
    examine(seen({ pipeline: pipeline(of) })).findings.map(({ kind, severity }) => [kind, severity]);

  test('a watermark far ahead of the clock is named, and one that is ahead by seconds is not', () => {
    expect(kinds({ points: [points(0, -3_600_000)] })).toEqual([['log-ahead', 'broken']]);
    expect(kinds({ points: [points(0, -9_000)] })).toEqual([]);
  });

  test('a set back is a note for an hour, and replaces those of the sessions that it ended', () => {
    const fenced = session(-3_590_000, { session: 'ff', state: 'fenced' });
    const eras = (ageMs: number) => [{ startMs: NOW_MS - ageMs, aheadMs: 3_600_000 }];
    expect(kinds({ eras: eras(5_000), sessions: [session(400), fenced] })).toEqual([['log-set-back', 'note']]);
    expect(kinds({ eras: eras(3_600_001), sessions: [session(400)] })).toEqual([]);
  });
});
