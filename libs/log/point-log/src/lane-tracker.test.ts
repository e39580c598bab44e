import { describe, expect, test } from '@jest/globals';
import { FIRST_ERA } from '@tidemark/model';
import { ALL_LANES, RECORD, type RecordHeader, type RecordType, type Span } from '@tidemark/point-records';
import fc from 'fast-check';
import {
  clientKey,
  DedupWindow,
  LaneTracker,
  packClient,
  packLane,
  packTrackerHead,
  trackerFingerprint,
  unpackTracker,
  WINDOW,
} from './index.ts';

const session = (n: number) => Buffer.alloc(16, n);
const record = (type: RecordType, of: number, sequence: number, markMs: number, lane = 0): RecordHeader => ({
  type,
  partition: 0,
  session: session(of),
  lane,
  epoch: 0,
  sequence,
  markMs,
  tagsOffset: 0,
  keyframeOffset: -1,
  era: FIRST_ERA,
  eraStartMs: 0,
});
const span = (client: number, sequence: number, floor = 0): Span => ({
  clientSession: session(client),
  sequence,
  floor,
  mapEpoch: 1,
  frontierMs: undefined,
  tenant: 't',
  dictionary: 0,
  share: Buffer.alloc(0),
});
function feed(tracker: LaneTracker, ...records: RecordHeader[]): LaneTracker {
  records.forEach((header, offset) => {
    if (tracker.begin(header) === 'apply') tracker.end(header, offset);
  });
  return tracker;
}

describe('DedupWindow', () => {
  test('the window agrees with a plain set, in any order, while the client stays within the window', () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ ahead: fc.nat(WINDOW - 1), raise: fc.nat(300) }), { maxLength: 200 }),
        (steps) => {
          const window = new DedupWindow();
          const seen = new Set<number>();
          let floor = 0;
          for (const step of steps) {
            floor += step.raise;
            window.raiseFloor(floor);
            const sequence = floor + step.ahead;
            expect(window.has(sequence)).toBe(seen.has(sequence));
            window.add(sequence);
            seen.add(sequence);
            expect(window.has(floor - 1)).toBe(true);
          }
        },
      ),
    );
  });
});

describe('LaneTracker', () => {
  test('the watermark is the lowest mark of the open lanes and never decreases', () => {
    const tracker = feed(new LaneTracker(), record(RECORD.open, 1, 0, 100), record(RECORD.mark, 1, 1, 200));
    expect(tracker.watermarkMs).toBe(200);
    feed(tracker, record(RECORD.open, 2, 0, 150));
    expect(tracker.watermarkMs).toBe(200);
    feed(tracker, record(RECORD.mark, 1, 2, 300), record(RECORD.mark, 2, 1, 250));
    expect(tracker.watermarkMs).toBe(250);
    feed(tracker, record(RECORD.close, 2, 2, 260));
    expect(tracker.watermarkMs).toBe(300);
  });

  test('a lane that never opened does not count in the watermark', () => {
    const tracker = feed(new LaneTracker(), record(RECORD.open, 1, 0, 100), record(RECORD.block, 2, 0, 50));
    feed(tracker, record(RECORD.mark, 1, 1, 400));
    expect(tracker.watermarkMs).toBe(400);
  });

  test('a fence of an unseen lane is remembered', () => {
    const tracker = feed(new LaneTracker(), record(RECORD.open, 1, 0, 100), record(RECORD.fence, 2, 9, 0, ALL_LANES));
    feed(tracker, record(RECORD.open, 2, 0, 110), record(RECORD.mark, 1, 1, 500));
    expect(tracker.watermarkMs).toBe(500);
  });

  test('a fenced lane still delivers points, but does not count in the watermark', () => {
    const tracker = feed(new LaneTracker(), record(RECORD.open, 1, 0, 100), record(RECORD.open, 2, 0, 100));
    feed(tracker, record(RECORD.fence, 2, 9, 0, ALL_LANES), record(RECORD.mark, 1, 1, 900));
    expect(tracker.begin(record(RECORD.block, 2, 1, 120))).toBe('apply');
    expect(tracker.isFresh(span(7, 0), 1)).toBe(true);
    expect(tracker.isLate(500, 100)).toBe(true);
    tracker.end(record(RECORD.block, 2, 1, 120), 9);
    expect(tracker.watermarkMs).toBe(900);
  });

  test('a repeated record is dropped, a missing one throws data_loss, and a skip allows one gap', () => {
    const tracker = feed(new LaneTracker(), record(RECORD.open, 1, 0, 100), record(RECORD.mark, 1, 1, 200));
    expect(tracker.begin(record(RECORD.mark, 1, 1, 200))).toBe('duplicate');
    expect(() => tracker.begin(record(RECORD.mark, 1, 3, 300))).toThrow(expect.objectContaining({ code: 'data_loss' }));
    tracker.skip();
    const after = record(RECORD.mark, 1, 3, 300);
    expect(() => tracker.begin(record(RECORD.mark, 1, 4, 300))).toThrow(/jumps from sequence 1 to 4/);
    expect([tracker.mayMissDefinitions(after), tracker.lanes.size]).toEqual([true, 1]);
    feed(tracker, after);
    expect(tracker.mayMissDefinitions(record(RECORD.mark, 1, 4, 300))).toBe(true);
    expect(tracker.mayMissDefinitions({ ...record(RECORD.mark, 1, 4, 300), epoch: 1 })).toBe(false);
    expect(() => tracker.begin(record(RECORD.mark, 1, 5, 300))).toThrow(/jumps from sequence 3 to 5/);
    // The first known record of a lane may follow the skipped record, which was its `open`.
    expect(tracker.begin(record(RECORD.mark, 7, 1, 300))).toBe('apply');
    expect(() => tracker.begin(record(RECORD.mark, 7, 2, 300))).toThrow(expect.objectContaining({ code: 'data_loss' }));
    expect(tracker.lanes.size).toBe(1);
  });

  test('a lane whose opening was lost counts in the watermark from its first known record on', () => {
    const tracker = feed(new LaneTracker(), record(RECORD.open, 1, 0, 100));
    tracker.skip();
    feed(tracker, record(RECORD.mark, 2, 1, 150), record(RECORD.mark, 1, 1, 900));
    expect(tracker.watermarkMs).toBe(150);
    tracker.skip();
    feed(
      tracker,
      record(RECORD.fence, 3, 9, 0, ALL_LANES),
      record(RECORD.mark, 3, 1, 160),
      record(RECORD.close, 2, 2, 900),
    );
    expect(tracker.watermarkMs).toBe(900);
  });

  test('the session for which the watermark waits is that of the open lane with the lowest mark', () => {
    const tracker = feed(new LaneTracker(), record(RECORD.open, 1, 0, 100), record(RECORD.open, 2, 0, 150));
    expect(tracker.slowestSession).toEqual(session(1));
    feed(tracker, record(RECORD.mark, 1, 1, 200));
    expect(tracker.slowestSession).toEqual(session(2));
    feed(tracker, record(RECORD.close, 2, 1, 200), record(RECORD.close, 1, 2, 200));
    expect(tracker.slowestSession).toBeUndefined();
  });

  test('a batch that is delivered twice, in any block of any lane, is fresh once', () => {
    const tracker = feed(new LaneTracker(), record(RECORD.open, 1, 0, 100), record(RECORD.open, 2, 0, 100));
    expect(tracker.isFresh(span(5, 3), 10)).toBe(true);
    expect(tracker.isFresh(span(5, 3), 10)).toBe(false);
    expect(tracker.isFresh(span(5, 1), 10)).toBe(true);
    expect(tracker.isFresh(span(5, 2, 3), 10)).toBe(false);
    expect(tracker.clients.get(clientKey('t', session(5)))?.duplicatePoints).toBe(20);
  });

  test('a tenant that uses the session of another tenant has its own window', () => {
    const tracker = feed(new LaneTracker(), record(RECORD.open, 1, 0, 100));
    expect(tracker.isFresh({ ...span(5, 903, 900), tenant: 'mallory' }, 1)).toBe(true);
    const loaded = reload(tracker);
    expect(loaded.isFresh(span(5, 3), 10)).toBe(true);
    expect(loaded.isFresh(span(5, 3), 10)).toBe(false);
    loaded.countLate(span(5, 3), 4);
    expect([...loaded.clients.values()].map(({ tenant, latePoints }) => [tenant, latePoints])).toEqual([
      ['mallory', 0],
      ['t', 4],
    ]);
  });

  test('an era takes the watermark back to its start, and lanes of earlier ones no longer count', () => {
    const tracker = feed(new LaneTracker(), record(RECORD.open, 1, 0, 9_000), record(RECORD.open, 2, 0, 9_000));
    tracker.isFresh({ ...span(5, 0), frontierMs: 8_900 }, 1);
    const inEra = (header: RecordHeader) => ({ ...header, era: 40, eraStartMs: 1_000 });
    feed(tracker, inEra(record(RECORD.open, 3, 0, 1_010)));
    expect([tracker.watermarkMs, tracker.era]).toEqual([1_010, 40]);
    expect(tracker.isLate(1_005, 3_000)).toBe(false);
    expect(tracker.clients.get(clientKey('t', session(5)))?.frontierMs).toBeUndefined();
    // Lanes of the wrong time, known or not, neither raise the watermark nor hold it back. Their points still count.
    feed(tracker, record(RECORD.mark, 1, 1, 9_500), record(RECORD.open, 4, 0, 500), record(RECORD.block, 2, 1, 9_600));
    expect(tracker.isFresh(span(5, 0), 1)).toBe(false);
    expect(tracker.isFresh(span(5, 1), 1)).toBe(true);
    feed(tracker, inEra(record(RECORD.mark, 3, 1, 2_000)));
    expect(tracker.watermarkMs).toBe(2_000);
    expect([...tracker.lanes.values()].filter(({ open }) => open).map(({ session: of }) => of[0])).toEqual([3]);
  });

  test('an era never raises a watermark that was behind its start', () => {
    const tracker = feed(new LaneTracker(), record(RECORD.open, 1, 0, 100));
    feed(tracker, { ...record(RECORD.open, 2, 0, 5_000), era: 7, eraStartMs: 4_000 });
    expect(tracker.watermarkMs).toBe(5_000);
    const idle = feed(new LaneTracker(), record(RECORD.open, 1, 0, 100));
    feed(idle, { ...record(RECORD.mark, 2, 0, 5_000), era: 7, eraStartMs: 4_000 });
    expect(idle.watermarkMs).toBe(100);
  });

  test('sequences are kept when a clock is set ahead, and forgotten after 7 days in which the partition was used', () => {
    const tracker = feed(new LaneTracker(), record(RECORD.open, 1, 0, 1_000));
    tracker.isFresh(span(5, 0), 1);
    let markMs = 1_000 + 30 * 86_400_000;
    feed(tracker, record(RECORD.mark, 1, 1, markMs));
    expect(tracker.isFresh(span(5, 0), 1)).toBe(false);
    for (let minute = 0; minute <= 7 * 1440 + 60; minute++) {
      markMs += 60_000;
      feed(tracker, record(RECORD.mark, 1, 2 + minute, markMs));
    }
    expect(tracker.clients.size).toBe(0);
  });

  test('a tracker that is saved and loaded at any record continues as if it had never stopped', () => {
    const step = fc.record({
      type: fc.constantFrom(RECORD.open, RECORD.mark, RECORD.block, RECORD.block, RECORD.close, RECORD.fence),
      session: fc.integer({ min: 1, max: 3 }),
      ahead: fc.nat(7_200_000),
      client: fc.nat(2),
      tenant: fc.constantFrom('t', 'u'),
      sequence: fc.nat(20),
      era: fc.nat(1),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), fc.nat(60), (steps, at) => {
        const run = (saveAt: number) => {
          let tracker = new LaneTracker();
          const next = new Map<number, number>();
          let markMs = 0;
          let era = FIRST_ERA;
          steps.forEach((one, i) => {
            if (i === saveAt) tracker = reload(tracker);
            markMs += one.ahead;
            if (one.era === 1 && one.type === RECORD.open) era = i;
            const sequence = one.type === RECORD.fence ? i : (next.get(one.session) ?? 0);
            if (one.type !== RECORD.fence) next.set(one.session, sequence + 1);
            const lane = one.type === RECORD.fence ? ALL_LANES : 0;
            const header = { ...record(one.type, one.session, sequence, markMs, lane), era, eraStartMs: markMs / 2 };
            // Some records are lost and then skipped.
            if (one.sequence === 20 && one.type !== RECORD.fence) tracker.skip();
            if (one.sequence === 20 || tracker.begin(header) === 'duplicate') return;
            if (one.type === RECORD.block)
              tracker.isFresh({ ...span(one.client, one.sequence), tenant: one.tenant }, 1);
            tracker.end(header, i);
          });
          return trackerFingerprint(tracker)
            .map((part) => part.toString('hex'))
            .sort();
        };
        expect(run(at)).toEqual(run(-1));
      }),
    );
  });
});

describe('client sessions beyond the limit of a tenant', () => {
  const LIMIT = 16;
  const key = (n: number, tenant: string) => clientKey(tenant, Buffer.alloc(16, n));
  const see = (tracker: LaneTracker, n: number, tenant: string) =>
    tracker.isFresh({ ...span(n, 0), clientSession: Buffer.alloc(16, n), tenant }, 1);

  test('the ones that were silent for the longest time are dropped, of this tenant alone', () => {
    const tracker = feed(new LaneTracker(LIMIT), record(RECORD.open, 1, 0, 0));
    for (let n = 0; n < 5; n++) see(tracker, n, 'other');
    for (let n = 0; n < 100; n++) {
      see(tracker, n, 't');
      see(tracker, 0, 't');
      tracker.end(record(RECORD.mark, 1, n + 1, n * 1000), n + 1);
    }
    const kept = [...tracker.clients.values()].filter(({ tenant }) => tenant === 't');
    expect(kept.length).toBeLessThanOrEqual(LIMIT);
    expect(tracker.clients.has(key(0, 't'))).toBe(true);
    expect(tracker.clients.has(key(99, 't'))).toBe(true);
    expect(tracker.clients.has(key(1, 't'))).toBe(false);
    expect(tracker.clients.size - kept.length).toBe(5);
    expect(tracker.changes.clients.has(key(1, 't'))).toBe(true);
  });

  test('the same ones are dropped after a restart, in any order of the stored ones', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(60), { maxLength: 120 }), fc.nat(120), (clients, at) => {
        const run = (reloadAt: number) => {
          let tracker = feed(new LaneTracker(LIMIT), record(RECORD.open, 1, 0, 0));
          clients.forEach((n, i) => {
            if (i === reloadAt) tracker = reload(tracker, LIMIT);
            see(tracker, n, 't');
            tracker.end(record(RECORD.mark, 1, i + 1, Math.floor(i / 3) * 1000), i + 1);
          });
          expect(tracker.clients.size).toBeLessThanOrEqual(LIMIT);
          return [...tracker.clients.keys()].sort();
        };
        expect(run(at)).toEqual(run(-1));
      }),
    );
  });
});

/** A tracker from the stored parts of another one, with the client sessions in another order. */
function reload(tracker: LaneTracker, clientSessions?: number): LaneTracker {
  return unpackTracker(
    packTrackerHead(tracker),
    [...tracker.lanes.values()].map(packLane),
    [...tracker.clients.values()].reverse().map(packClient),
    clientSessions,
  );
}
