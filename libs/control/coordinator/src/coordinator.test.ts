import { describe, expect, test } from '@jest/globals';
import type { SeriesCount } from '@tidemark/contract';
import { ControlFollower, type ControlMessage, ControlWriter, decodeControl } from '@tidemark/control-log';
import { openEmbeddedLog } from '@tidemark/embedded-log';
import { SLOTS } from '@tidemark/model';
import { ALL_LANES, decodeRecord, RECORD } from '@tidemark/point-records';
import { type Clock, type Log, movedError, sleep, TidemarkError, type Topic } from '@tidemark/ports';
import { type NodeClock, SimulatedWorld } from '@tidemark/simulation';
import { Coordinator, type CoordinatorOptions } from './coordinator.ts';
import type { StorePosition } from './store-position.ts';

const SESSION = Buffer.alloc(16, 3);
const POSITION: StorePosition = {
  ...{ topic: 'points', partition: 1, offset: 3, logNext: 3, halted: '' },
};
const LANE = { partition: 1, lane: 0 };
const READ = { maxBytes: 1 << 20, waitMs: 0 };

/** A log on a simulated disk, and a clock that moves as far as a test asks. */
class Bench {
  readonly world: SimulatedWorld;
  readonly clock: Clock;
  readonly writer: ControlWriter;
  readonly log: Log;
  /** While true, `control` cannot be read: the coordinator is cut off. */
  isCut = false;
  /** While true, `control` takes no records: its folder was moved. */
  isMoved = false;
  /** Partitions of `points` that are full. */
  readonly full = new Set<number>();
  counts: SeriesCount[] = [];

  /** The clock of the log's machine. */
  readonly logClock: NodeClock;

  private constructor(world: SimulatedWorld, log: Log, logClock: NodeClock) {
    this.world = world;
    this.logClock = logClock;
    this.clock = world.clock;
    this.log = {
      writer: async (topic, partition) => {
        const writer = await log.writer(topic, partition);
        return {
          append: async (sequence, value) => {
            if (topic === 'points' && this.full.has(partition)) throw new TidemarkError('resource_exhausted', 'full');
            if (topic === 'control' && this.isMoved) throw movedError('/data was moved', '/data');
            return writer.append(sequence, value);
          },
        };
      },
      bounds: (topic, partition) => log.bounds(topic, partition),
      trim: (topic, partition, before) => log.trim(topic, partition, before),
      read: async (topic, partition, from, options) => {
        while (this.isCut) await sleep(this.clock, 50);
        const records = await log.read(topic, partition, from, options);
        while (this.isCut) await sleep(this.clock, 50);
        return records;
      },
    };
    this.writer = new ControlWriter(log, this.clock);
  }

  static async open(limits: { readonly recordBytes?: number } = {}): Promise<Bench> {
    const world = new SimulatedWorld({ seed: 1 });
    const node = world.node('log');
    let bench: Bench | undefined;
    const opening = node.start(({ clock, disk, random }) =>
      openEmbeddedLog({ clock, disk, random, partitions: { points: 2, tags: 2, control: 1 }, limits }),
    );
    opening.then((log) => {
      bench = new Bench(world, log, node.clock);
    });
    await world.clock.run(() => bench !== undefined, 10_000);
    if (bench === undefined) throw new Error('the log did not open');
    return bench;
  }

  async play<T>(work: Promise<T>): Promise<T> {
    let isDone = false;
    const done = work.finally(() => {
      isDone = true;
    });
    done.catch(() => undefined);
    await this.world.clock.run(() => isDone, 60_000);
    return done;
  }

  append(message: ControlMessage): Promise<unknown> {
    return this.play(this.writer.append(message));
  }

  async start(options: Partial<CoordinatorOptions> = {}): Promise<Coordinator> {
    const { log, clock } = this;
    const control = options.control ?? (await this.follow());
    const coordinator = new Coordinator({
      ...{ log, control, clock, random: this.world.random, process: 'test', partitions: 2, isAlone: false },
      ...{ tenantSeries: 100, metricSeries: 10, seriesCounts: async () => this.counts },
      ...options,
    });
    await this.play(coordinator.start());
    return coordinator;
  }

  boundsFrom(first: number): Log['bounds'] {
    return async (topic, partition) => ({ ...(await this.log.bounds(topic, partition)), first });
  }

  async follow(): Promise<ControlFollower> {
    const control = new ControlFollower(this.log, this.clock);
    await this.play(control.start());
    return control;
  }

  /** A reader to which the records of `control` at these offsets are lost. */
  async followWithout(lost: readonly number[]): Promise<ControlFollower> {
    const read: Log['read'] = async (topic, partition, from, options) => {
      if (lost.includes(from)) throw new TidemarkError('data_loss', 'damaged', { resumeAt: from + 1 });
      const end = Math.min(...lost.filter((at) => at > from));
      return (await this.log.read(topic, partition, from, options)).filter(({ offset }) => offset < end);
    };
    const control = new ControlFollower({ ...this.log, read }, this.clock);
    await this.play(control.start());
    return control;
  }

  async records(topic: Topic, partition: number): Promise<Uint8Array[]> {
    const { next } = await this.play(this.log.bounds(topic, partition));
    if (next === 0) return [];
    return (await this.play(this.log.read(topic, partition, 0, READ))).map(({ value }) => value);
  }

  async control(): Promise<ControlMessage[]> {
    return (await this.records('control', 0)).map((value) => decodeControl(value));
  }

  /** Lanes that were fenced in a partition. */
  async fences(partition: number): Promise<number[]> {
    const records = (await this.records('points', partition)).map((value) => decodeRecord(value));
    return records.filter(({ type }) => type === RECORD.fence).map(({ lane }) => lane);
  }

  async until(condition: () => Promise<boolean>, deadlineMs: number): Promise<void> {
    const endMs = this.clock.monotonicMs() + deadlineMs;
    while (!(await condition())) {
      if (this.clock.monotonicMs() > endMs) throw new Error(`not within ${deadlineMs} ms`);
      await this.world.clock.advance(100);
    }
  }
}

const registered: ControlMessage = { $case: 'registered', value: { session: SESSION, process: 'i' } };
const renewed: ControlMessage = { $case: 'renewed', value: { session: SESSION, deadLanes: [] } };

function of<K extends ControlMessage['$case']>(messages: readonly ControlMessage[], kind: K) {
  return messages.filter((message): message is Extract<ControlMessage, { $case: K }> => message.$case === kind);
}

describe('coordinator', () => {
  test('a coordinator claims a term and decides the first map', async () => {
    const bench = await Bench.open();
    await bench.start();
    const [term, map] = await bench.control();
    expect(term).toMatchObject({ $case: 'term', value: { term: 1 } });
    expect(map).toMatchObject({ $case: 'map', value: { expectedEpoch: 0, map: { epoch: 1, partitions: 2 } } });
  });

  test('a coordinator decides further maps one after the other, and refuses wrong ones', async () => {
    const bench = await Bench.open();
    const coordinator = await bench.start();
    const slots = new Uint16Array(SLOTS).fill(1);
    await bench.play(coordinator.assignSlots(2, slots));
    await bench.play(coordinator.assignSlots(3, new Uint16Array(SLOTS).fill(2)));
    expect(of(await bench.control(), 'map').map(({ value }) => [value.expectedEpoch, value.map?.epoch])).toEqual([
      [0, 1],
      [1, 2],
      [2, 3],
    ]);
    for (const bad of [() => coordinator.assignSlots(2, slots), () => coordinator.assignSlots(3, slots.subarray(1))]) {
      await expect(bench.play(bad())).rejects.toMatchObject({ code: 'invalid_argument', detail: { field: 'slots' } });
    }
    await bench.start();
    await expect(bench.play(coordinator.assignSlots(3, slots))).rejects.toMatchObject({ code: 'failed_precondition' });
  });

  test('a coordinator decides no more maps than a checkpoint can contain', async () => {
    const bench = await Bench.open();
    const coordinator = await bench.start();
    const slots = new Uint16Array(SLOTS);
    for (let maps = 1; maps < 1000; maps++) await bench.play(coordinator.assignSlots(2, slots));
    await expect(bench.play(coordinator.assignSlots(2, slots))).rejects.toMatchObject({
      ...{ code: 'resource_exhausted', detail: { field: 'maps', limit: 1000 } },
    });
  });

  test('a tenant has a bounded number of keys, of which each can be replaced', async () => {
    const bench = await Bench.open();
    const coordinator = await bench.start();
    for (let n = 0; n < 1000; n++) await bench.play(coordinator.createKey('t', `key ${n}`, ['send']));
    await expect(bench.play(coordinator.createKey('t', 'one more', ['send']))).rejects.toMatchObject({
      ...{ code: 'resource_exhausted', detail: { field: 'keys', limit: 1000 } },
    });
    await bench.play(coordinator.createKey('t', 'key 7', ['read']));
    await bench.play(coordinator.createKey('other', 'key', ['send']));
    await bench.play(coordinator.revokeKey('t', 'key 8'));
    await bench.play(coordinator.createKey('t', 'one more', ['send']));
  });

  test('while the data folder is moved, a caller learns that at once, and its decision is not repeated', async () => {
    const bench = await Bench.open();
    const coordinator = await bench.start();
    await bench.play(coordinator.createKey('acme', 'web', ['send']));
    bench.isMoved = true;
    const refused = { code: 'unavailable', message: '/data was moved' };
    const expectRefused = async () => {
      for (const decide of [
        () => coordinator.createKey('acme', 'web', ['read']),
        () => coordinator.revokeKey('acme', 'web'),
        () => coordinator.skip('points', 1, 5, 'bit rot'),
        () => coordinator.assignSlots(2, new Uint16Array(SLOTS)),
      ]) {
        const beganMs = bench.clock.monotonicMs();
        await expect(bench.play<unknown>(decide())).rejects.toMatchObject(refused);
        expect(bench.clock.monotonicMs() - beganMs).toBeLessThan(1000);
      }
    };
    await expectRefused();
    // The coordinator itself repeats what it decides, such as the fence of a silent session.
    await bench.append(registered);
    await bench.world.clock.advance(30_000);
    await expectRefused();
    bench.isMoved = false;
    await bench.world.clock.advance(5000);
    await bench.play(coordinator.createKey('acme', 'other', ['read']));
    const decided = await bench.control();
    expect(of(decided, 'key').map(({ value: { name, scopes } }) => [name, scopes])).toEqual([
      ['web', ['send']],
      ['other', ['read']],
    ]);
    expect([of(decided, 'fence').length, of(decided, 'skip').length, of(decided, 'map').length]).toEqual([1, 0, 1]);
    await bench.play(coordinator.stop());
  });

  test('a checkpoint that is larger than a record of the log is appended in parts', async () => {
    const bench = await Bench.open({ recordBytes: 1024 * 1024 });
    const control = await bench.follow();
    const coordinator = await bench.start({ control, checkpointRecords: 1100 });
    const slots = new Uint16Array(SLOTS);
    for (let maps = 1; maps < 999; maps++) await bench.play(coordinator.assignSlots(2, slots));
    for (let n = 0; n < 200; n++) await bench.append(renewed);
    await bench.until(async () => control.state.checkpointOffset >= 0, 10_000);
    expect(coordinator.problem).toBeUndefined();
    const fresh = new ControlFollower(
      { ...bench.log, bounds: bench.boundsFrom(control.state.checkpointOffset) },
      bench.clock,
    );
    await bench.play(fresh.start());
    expect([fresh.state.maps.size, fresh.state.map?.epoch]).toEqual([999, 999]);
  });

  test('a checkpoint counts although a record comes before each of its parts', async () => {
    const bench = await Bench.open();
    const control = await bench.follow();
    const { writer } = bench.log;
    bench.log.writer = async (topic, partition) => {
      const { append } = await writer(topic, partition);
      return {
        append: async (sequence, value) => {
          if (topic === 'control' && decodeControl(value).$case === 'checkpoint') await bench.writer.append(renewed);
          return append(sequence, value);
        },
      };
    };
    const coordinator = await bench.start({ control, checkpointRecords: 40, checkpointPartBytes: 4096 });
    await bench.append(registered);
    for (let maps = 1; maps < 20; maps++) await bench.play(coordinator.assignSlots(2, new Uint16Array(SLOTS)));
    for (let n = 0; n < 20; n++) await bench.append(renewed);
    await bench.until(async () => control.state.checkpointOffset >= 0, 10_000);
    const fresh = new ControlFollower(
      { ...bench.log, bounds: bench.boundsFrom(control.state.checkpointOffset) },
      bench.clock,
    );
    await bench.play(fresh.start());
    await bench.play(control.reached(fresh.state.nextOffset - 1));
    expect(fresh.state).toEqual(control.state);
    const records = await bench.control();
    expect(of(records, 'checkpointBegun')).toHaveLength(1);
    expect(of(records, 'checkpoint').length).toBeGreaterThan(5);
  });

  test('a checkpoint that is void is repeated after a pause that grows', async () => {
    const bench = await Bench.open();
    const { writer } = bench.log;
    // Another coordinator of this term: its beginning voids each checkpoint.
    bench.log.writer = async (topic, partition) => {
      const { append } = await writer(topic, partition);
      return {
        append: async (sequence, value) => {
          const message = topic === 'control' ? decodeControl(value) : undefined;
          if (message?.$case === 'checkpoint') {
            await bench.writer.append({ $case: 'checkpointBegun', value: { term: message.value.term } });
          }
          return append(sequence, value);
        },
      };
    };
    const coordinator = await bench.start({ checkpointRecords: 10 });
    await bench.append(registered);
    for (let n = 0; n < 20; n++) await bench.append(renewed);
    await bench.world.clock.advance(30_000);
    expect(coordinator.problem).toBeUndefined();
    // After 1, 2, 4, 8 and 16 s.
    const tries = of(await bench.control(), 'checkpoint').length;
    expect([tries > 3, tries < 7]).toEqual([true, true]);
  });

  test('a session that is silent for 10 s is fenced, first in control, then in every partition', async () => {
    const bench = await Bench.open();
    await bench.start();
    await bench.append(registered);
    for (let i = 0; i < 5; i++) {
      await bench.world.clock.advance(9000);
      expect(of(await bench.control(), 'fence')).toHaveLength(0);
      await bench.append(renewed);
    }
    await bench.until(async () => of(await bench.control(), 'fenceCompleted').length === 1, 12_000);
    expect(of(await bench.control(), 'fence')).toHaveLength(1);
    expect([await bench.fences(0), await bench.fences(1)]).toEqual([[ALL_LANES], [ALL_LANES]]);
  });

  test('a lane that its session reports dead is fenced in its partition only', async () => {
    const bench = await Bench.open();
    await bench.start();
    await bench.append(registered);
    await bench.append({ $case: 'renewed', value: { session: SESSION, deadLanes: [LANE] } });
    await bench.until(async () => of(await bench.control(), 'fenceCompleted').length === 1, 5000);
    expect([await bench.fences(0), await bench.fences(1)]).toEqual([[], [LANE.lane]]);
  });

  test('a coordinator completes a fence that its predecessor left in control only', async () => {
    const bench = await Bench.open();
    await bench.append({ $case: 'term', value: { term: 1, process: 'gone' } });
    await bench.append(registered);
    await bench.append({ $case: 'fence', value: { term: 1, session: SESSION, lane: undefined, reason: 'silent' } });
    await bench.start();
    await bench.until(async () => of(await bench.control(), 'fenceCompleted').length === 1, 5000);
    expect(of(await bench.control(), 'fence')).toHaveLength(1);
    expect([await bench.fences(0), await bench.fences(1)]).toEqual([[ALL_LANES], [ALL_LANES]]);
  });

  test('a coordinator reads pending renewals before it declares a session silent', async () => {
    const bench = await Bench.open();
    await bench.start();
    await bench.append(registered);
    bench.isCut = true;
    for (let i = 0; i < 6; i++) {
      await bench.world.clock.advance(5000);
      await bench.append(renewed);
    }
    bench.isCut = false;
    await bench.world.clock.advance(3000);
    expect(of(await bench.control(), 'fence')).toHaveLength(0);
    await bench.until(async () => of(await bench.control(), 'fence').length === 1, 12_000);
  });

  test('a coordinator stops when another one takes over, and two never share a term', async () => {
    const bench = await Bench.open();
    const first = await bench.start();
    // Both have read the same before either claims.
    const controls = [await bench.follow(), await bench.follow()];
    const [second, third] = await Promise.all(controls.map((control) => bench.start({ control })));
    const terms = of(await bench.control(), 'term').map(({ value }) => value.term);
    expect(new Set(terms.slice(-2)).size).toBe(2);
    expect(Math.max(...terms)).toBe(terms.at(-1));
    await bench.append(registered);
    await bench.append({ $case: 'renewed', value: { session: SESSION, deadLanes: [LANE] } });
    await bench.until(async () => of(await bench.control(), 'fenceCompleted').length >= 1, 5000);
    await bench.world.clock.advance(2000);
    const running = [first, second, third].filter(({ problem }) => problem === undefined);
    expect(running).toHaveLength(1);
  });

  test('open sessions are fenced at the start when no other process can hold a session', async () => {
    const bench = await Bench.open();
    await bench.append(registered);
    await bench.start({ isAlone: true });
    expect(of(await bench.control(), 'fence')).toHaveLength(1);
    await bench.until(async () => of(await bench.control(), 'fenceCompleted').length === 1, 2000);
  });

  test('a used-up budget is decided, and revoked well below the limit', async () => {
    const bench = await Bench.open();
    await bench.start();
    const verdicts = async () => of(await bench.control(), 'budget').map(({ value }) => value);
    bench.counts = [{ tenant: 't', metric: 'a/b', series: 10 }];
    await bench.until(async () => (await verdicts()).length === 1, 5000);
    bench.counts = [{ tenant: 't', metric: 'a/b', series: 10 * 0.96 }];
    await bench.world.clock.advance(6000);
    expect(await verdicts()).toMatchObject([{ tenant: 't', metric: 'a/b', limit: 10, over: true }]);
    bench.counts = [];
    await bench.world.clock.advance(6000);
    expect((await verdicts()).slice(1)).toMatchObject([{ tenant: 't', metric: 'a/b', over: false }]);
  });

  test('a store that does not answer keeps budgets from being judged; one that is damaged says so itself', async () => {
    const bench = await Bench.open();
    let failure = new TidemarkError('unavailable', 'no store of tags/1 answers');
    const coordinator = await bench.start({
      seriesCounts: async () => {
        throw failure;
      },
    });
    await bench.world.clock.advance(6000);
    expect(coordinator.problem).toBe('no store of tags/1 answers');
    failure = new TidemarkError('data_loss', 'the database tags/1 is damaged');
    await bench.world.clock.advance(6000);
    expect(coordinator.problem).toBeUndefined();
  });

  test('a halt of all stores of a partition is decided once, and its end when one of them continues', async () => {
    const bench = await Bench.open();
    let halted = 'rot';
    const position = () => ({ ...POSITION, offset: halted === '' ? 8 : 7, logNext: 9, halted });
    await bench.start({ storePositions: async () => [position()] });
    const halts = async () => of(await bench.control(), 'halt').map(({ value }) => value);
    await bench.world.clock.advance(10_000);
    expect(await halts()).toMatchObject([{ topic: 'points', partition: 1, offset: 7, halted: true }]);
    halted = '';
    await bench.world.clock.advance(10_000);
    expect((await halts()).slice(1)).toMatchObject([{ topic: 'points', partition: 1, halted: false }]);
  });

  test('a lane of a session that control has lost before it renewed is fenced once, when it has no session for a lease', async () => {
    const bench = await Bench.open();
    const slowestSession = Buffer.alloc(16, 9);
    let offset = 2;
    await bench.start({ storePositions: async () => [{ ...POSITION, offset, logNext: 3, slowestSession }] });
    await bench.world.clock.advance(8000);
    expect(await bench.fences(1)).toEqual([]);
    // A store that has not read what the log had at first may know the lane's end soon.
    await bench.world.clock.advance(8000);
    expect(await bench.fences(1)).toEqual([]);
    offset = 3;
    await bench.until(async () => (await bench.fences(1)).length === 1, 5000);
    expect([await bench.fences(0), of(await bench.control(), 'fence').length]).toEqual([[ALL_LANES], 1]);
    // The partition has lost the fence.
    await bench.until(async () => (await bench.fences(1)).length === 2, 15_000);
    expect([await bench.fences(0), of(await bench.control(), 'fence').length]).toEqual([[ALL_LANES], 1]);
  });

  test('a session that renews for long after its fence is fenced again: it may not have read it', async () => {
    const bench = await Bench.open();
    await bench.append(registered);
    await bench.start({ isAlone: true });
    const fences = async () => of(await bench.control(), 'fence').length;
    expect(await fences()).toBe(1);
    for (let second = 0; second < 4; second++) {
      await bench.append(renewed);
      await bench.world.clock.advance(1000);
    }
    expect(await fences()).toBe(1);
    for (let second = 0; second < 4; second++) {
      await bench.append(renewed);
      await bench.world.clock.advance(1000);
    }
    expect(await fences()).toBe(2);
  });

  test('a lane of a session that renews is not fenced, however far behind it is', async () => {
    const bench = await Bench.open();
    await bench.append(registered);
    await bench.start({ storePositions: async () => [{ ...POSITION, slowestSession: SESSION }] });
    for (let second = 0; second < 30; second++) {
      await bench.append(renewed);
      await bench.world.clock.advance(1000);
    }
    expect(await bench.fences(1)).toEqual([]);
  });

  test('stores that do not answer do not delay fences', async () => {
    const bench = await Bench.open();
    await bench.start({ storePositions: () => new Promise(() => undefined) });
    await bench.append(registered);
    await bench.until(async () => of(await bench.control(), 'fence').length === 1, 15_000);
  });

  test('a stop does not wait for stores that do not answer', async () => {
    const bench = await Bench.open();
    const asked: AbortSignal[] = [];
    const storePositions = (signal: AbortSignal) => {
      asked.push(signal);
      return new Promise<[]>((resolve) => signal.addEventListener('abort', () => resolve([])));
    };
    const coordinator = await bench.start({ storePositions });
    await bench.until(async () => asked.length > 0, 15_000);
    await coordinator.stop();
    expect(asked.every(({ aborted }) => aborted)).toBe(true);
  });

  test('a partition that accepts no fence delays neither other partitions nor other decisions', async () => {
    const bench = await Bench.open();
    bench.full.add(0);
    await bench.append(registered);
    const coordinator = await bench.start({ isAlone: true });
    expect(of(await bench.control(), 'fence')).toHaveLength(1);
    const other = Buffer.alloc(16, 4);
    await bench.append({ $case: 'registered', value: { session: other, process: 'i' } });
    await bench.append({ $case: 'renewed', value: { session: other, deadLanes: [LANE] } });
    bench.counts = [{ tenant: 't', metric: 'm', series: 10 }];
    await bench.until(async () => of(await bench.control(), 'budget').length === 1, 5000);
    await bench.until(async () => of(await bench.control(), 'fenceCompleted').length === 1, 5000);
    expect([await bench.fences(0), await bench.fences(1)]).toEqual([[], [ALL_LANES, LANE.lane]]);
    expect(coordinator.problem).toMatch(/points\/0 accepts no fence: full/);
    bench.full.clear();
    await bench.until(async () => of(await bench.control(), 'fenceCompleted').length >= 2, 5000);
    expect((await bench.fences(0)).length).toBeGreaterThan(0);
    await bench.until(async () => coordinator.problem === undefined, 2000);
  });

  test('a checkpoint is appended after enough records, the log before it is trimmed, and followers start from it', async () => {
    const bench = await Bench.open();
    const trims: number[] = [];
    const { trim } = bench.log;
    bench.log.trim = async (topic, partition, before) => {
      expect(topic).toBe('control');
      trims.push(before);
      await trim(topic, partition, before);
    };
    const control = await bench.follow();
    await bench.start({ control, checkpointRecords: 20 });
    await bench.append(registered);
    for (let i = 0; i < 60; i++) {
      await bench.append(renewed);
      await bench.world.clock.advance(400);
    }
    const checkpoints = [...(await bench.control()).entries()].filter(([, { $case }]) => $case === 'checkpointBegun');
    expect(checkpoints.length).toBeGreaterThanOrEqual(2);
    // The last checkpoint is not the only one: a damaged record must not lose the state.
    expect(trims).toEqual(checkpoints.slice(0, -1).map(([offset]) => offset));
    // A log with small segments does the same.
    const [first] = trims.slice(-1);
    const fresh = new ControlFollower({ ...bench.log, bounds: bench.boundsFrom(first) }, bench.clock);
    await bench.play(fresh.start());
    await bench.play(control.reached(fresh.state.nextOffset - 1));
    expect(fresh.state).toEqual(control.state);
  });
});

describe('time', () => {
  /** Sets the log's clock ahead, then back, and lets a session renew for a while. */
  async function setBack(aheadMs: number, backMs: number) {
    const bench = await Bench.open();
    const control = await bench.follow();
    const coordinator = await bench.start({ control });
    bench.logClock.jump(aheadMs);
    await bench.append(registered);
    bench.logClock.jump(-backMs);
    for (let second = 0; second < 8; second++) {
      await bench.append(renewed);
      await bench.world.clock.advance(1000);
    }
    return { bench, coordinator, control, eras: control.state.eras.list };
  }

  test('is taken back, once, when the clock of the log was ahead by more than can be waited for', async () => {
    const { bench, coordinator, eras } = await setBack(86_400_000, 86_400_000);
    expect(eras).toHaveLength(1);
    expect(bench.clock.wallMs() - eras[0].startMs).toBeLessThan(8000);
    expect(Math.abs(eras[0].aheadMs - 86_400_000)).toBeLessThan(8000);
    const decisions = of(await bench.control(), 'setBack');
    expect(decisions.map(({ value }) => value.repeats)).toEqual([undefined, eras[0]]);
    expect(coordinator.problem).toBeUndefined();
  });

  test('is taken back again by a coordinator that has lost the decision, also when it is not ahead any more', async () => {
    const { bench, coordinator, control, eras } = await setBack(15_000, 15_000);
    await bench.play(coordinator.stop());
    await bench.world.clock.advance(20_000);
    const lost = [...(await bench.control()).entries()].filter(([, { $case }]) => $case === 'setBack');
    const behind = await bench.followWithout(lost.map(([offset]) => offset));
    const successor = await bench.start({ control: behind });
    for (let second = 0; second < 4; second++) {
      await bench.append(renewed);
      await bench.world.clock.advance(1000);
    }
    expect([behind.state.eras.list.length, behind.state.mayLackEra, successor.problem]).toEqual([1, false, undefined]);
    expect(control.state.eras.list).toEqual([...eras, ...behind.state.eras.list]);
  });

  test('that is ahead by seconds is waited for', async () => {
    const { bench } = await setBack(9000, 9000);
    expect(of(await bench.control(), 'setBack')).toHaveLength(0);
  });

  test('is not taken back by the clock of a broker that the clock of the coordinator contradicts', async () => {
    const { bench, coordinator } = await setBack(0, 3_600_000);
    expect(of(await bench.control(), 'setBack')).toHaveLength(0);
    expect(coordinator.problem).toMatch(/is not taken back: by the clock of this process, that record is 36\d\d s old/);
  });
});
