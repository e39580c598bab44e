import { describe, expect, test } from '@jest/globals';
import { BatchResult_Outcome } from '@tidemark/contract';
import { isStaleMarker } from '@tidemark/model';
import { type Disk, TidemarkError } from '@tidemark/ports';
import { SeededRandom, type SimulatedNode, SimulatedWorld } from '@tidemark/simulation';
import { Client } from './client.ts';
import { ModelIntake } from './model-intake.fixture.ts';
import type { ClientOptions } from './options.ts';

interface Setup {
  readonly world: SimulatedWorld;
  readonly node: SimulatedNode;
  readonly intake: ModelIntake;
}

function setUp(): Setup {
  const world = new SimulatedWorld({ seed: 1 });
  const intake = new ModelIntake({ clock: world.clock, random: new SeededRandom('intake') });
  return { world, node: world.node('agent'), intake };
}

async function open(
  { world, node, intake }: Setup,
  options: Partial<ClientOptions> = {},
  diskOf = (disk: Disk): Disk => disk,
): Promise<Client> {
  return finish(
    world,
    node.start(({ clock, random, disk }) =>
      Client.open(
        { connector: intake, addresses: ['a'], clock, random, disk: diskOf(disk) },
        { name: 'test', flushIntervalMs: 0, ...options },
      ),
    ),
  );
}

async function finish<T>(world: SimulatedWorld, promise: Promise<T>): Promise<T> {
  let done = false;
  promise.then(
    () => {
      done = true;
    },
    () => {
      done = true;
    },
  );
  await world.clock.run(() => done, 60_000);
  return promise;
}

async function record(world: SimulatedWorld, client: Client, count: number, first = 0): Promise<void> {
  for (let i = first; i < first + count; i++) {
    client.gauge('m', i, [], world.clock.wallMs());
    client.flush();
    await world.clock.advance(20);
  }
}

/** A disk whose files can't be opened for reading the first `failures` times. */
function failingDisk(disk: Disk, failures: number): Disk {
  let left = failures;
  return new Proxy(disk, {
    get: (target, name) => {
      const member = Reflect.get(target, name, target);
      if (name !== 'open') return typeof member === 'function' ? member.bind(target) : member;
      return async (path: string, options?: { create?: boolean }) => {
        if (options?.create !== true && left-- > 0) throw new TidemarkError('unavailable', `${path}: an I/O error`);
        return target.open(path, options);
      };
    },
  });
}

/** A disk that fails to remove files while it is `broken`. */
function unremovable(disk: Disk, state: { broken: boolean }): Disk {
  return new Proxy(disk, {
    get: (target, name) => {
      const member = Reflect.get(target, name, target);
      if (name !== 'remove') return typeof member === 'function' ? member.bind(target) : member;
      return async (path: string) => {
        if (state.broken) throw new TidemarkError('unavailable', `${path}: an I/O error`);
        return target.remove(path);
      };
    },
  });
}

/** A disk that has no room for what is written. */
function fullDisk(disk: Disk): Disk {
  const refuse = async () => {
    throw new TidemarkError('resource_exhausted', 'the disk is full');
  };
  const member = (of: object, name: string | symbol) => {
    const value = Reflect.get(of, name, of);
    return typeof value === 'function' ? value.bind(of) : value;
  };
  return new Proxy(disk, {
    get: (target, name) => {
      if (name !== 'open') return member(target, name);
      return async (path: string, options?: { create?: boolean }) => {
        const file = await target.open(path, options);
        return new Proxy(file, { get: (of, own) => (own === 'write' ? refuse : member(of, own)) });
      };
    },
  });
}

const valuesOf = ({ intake }: Setup) => intake.delivered.map(({ value }) => value);
const upTo = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i);

describe('the spool', () => {
  test('keeps the end of a series, and sends it once', async () => {
    const setup = setUp();
    const { world, node, intake } = setup;
    intake.up = false;
    const first = await open(setup);
    first.gauge('m', 7);
    first.endSeries('m', 'gauge', [], world.clock.wallMs() + 10);
    first.flush();
    await world.clock.advance(1000);
    node.crash('power');
    intake.up = true;
    const second = await open(setup);
    await finish(world, second.settled());
    expect(second.stats()).toMatchObject({ recoveredPoints: 2, ackedPoints: 2, rejectedPoints: 0 });
    expect(valuesOf(setup).map((value) => (isStaleMarker(value) ? 'end' : value))).toEqual([7, 'end']);
    await finish(world, second.close());
  });

  test('on a full disk is deleted once all is settled', async () => {
    const setup = setUp();
    const { world, node, intake } = setup;
    intake.mute = 'a';
    const first = await open(setup);
    await record(world, first, 10);
    await world.clock.advance(1000);
    node.crash('process');
    intake.mute = undefined;
    const second = await open(setup, {}, fullDisk);
    await finish(world, second.settled());
    await world.clock.advance(1000);
    expect(second.stats()).toMatchObject({ recoveredPoints: 10, ackedPoints: 10 });
    expect(node.disk.usedBytes()).toBe(0);
    await finish(world, second.close());
  });

  test('on a full disk makes room for the next one', async () => {
    const world = new SimulatedWorld({ seed: 1 });
    const intake = new ModelIntake({ clock: world.clock, random: new SeededRandom('intake') });
    const setup = { world, intake, node: world.node('agent', { capacityBytes: 20_000 }) };
    let own: Disk | undefined;
    const client = await open(setup, { maxBackoffMs: 1000 }, (disk) => {
      own = disk;
      return disk;
    });
    await record(world, client, 1);
    await world.clock.advance(1000);
    intake.mute = 'a';
    await record(world, client, 5, 1);
    // Another program fills the disk.
    const filler = await finish(world, (own as Disk).open('filler', { create: true }));
    await finish(
      world,
      filler.write(new Uint8Array(30_000), 0).catch(() => undefined),
    );
    const fillerBytes = setup.node.disk.peek('filler')?.length ?? 0;
    intake.mute = undefined;
    intake.breakAll();
    await finish(world, client.settled());
    await world.clock.advance(1000);
    expect(setup.node.disk.usedBytes()).toBe(fillerBytes);
    await world.clock.advance(60_000);
    await record(world, client, 3, 6);
    await finish(world, client.settled());
    expect(client.stats()).toMatchObject({ ackedPoints: 9, pendingPoints: 0, spoolFailures: 1 });
    expect(client.stats().spoolBytes).toBeGreaterThan(0);
    await finish(world, client.close());
  });

  test.each([
    ['settled in this run', 10],
    ['settled in an earlier run', 0],
  ])('that can not be removed is removed later: %s', async (_, recoveredPoints) => {
    const setup = setUp();
    const { world, node, intake } = setup;
    if (recoveredPoints > 0) intake.mute = 'a';
    const first = await open(setup);
    await record(world, first, 10);
    await world.clock.advance(1000);
    node.crash('process');
    intake.mute = undefined;
    const state = { broken: true };
    const second = await open(setup, { maxBackoffMs: 1000 }, (disk) => unremovable(disk, state));
    await finish(world, second.settled());
    await world.clock.advance(500);
    const { spoolFailures } = second.stats();
    expect(spoolFailures).toBeGreaterThan(0);
    await world.clock.advance(600);
    second.flush();
    await world.clock.advance(500);
    expect(second.stats()).toMatchObject({ recoveredPoints, spoolFailures: spoolFailures + 1 });
    if (recoveredPoints > 0) expect(second.stats().spoolBytes).toBeGreaterThan(0);
    expect(second.lastError?.message).toContain('an I/O error');
    state.broken = false;
    await world.clock.advance(600);
    second.flush();
    await world.clock.advance(500);
    expect(second.stats()).toMatchObject({ spoolFailures: spoolFailures + 1, spoolBytes: 0 });
    expect(node.disk.usedBytes()).toBe(0);
    await finish(world, second.close());
  });

  test('of an earlier run that can not be read at the start is read later', async () => {
    const setup = setUp();
    const { world, node, intake } = setup;
    intake.up = false;
    await record(world, await open(setup), 3);
    node.crash('power');
    intake.up = true;
    const second = await open(setup, { maxBackoffMs: 1000 }, (disk) => failingDisk(disk, 2));
    expect(second.stats()).toMatchObject({ recoveredPoints: 0, spoolFailures: 1 });
    expect(second.lastError?.message).toContain('an I/O error');
    await world.clock.advance(1100);
    await record(world, second, 1, 3);
    expect(second.stats()).toMatchObject({ recoveredPoints: 0, spoolFailures: 2 });
    await world.clock.advance(1100);
    await record(world, second, 1, 4);
    await finish(world, second.settled());
    expect(second.stats()).toMatchObject({ recoveredPoints: 3, ackedPoints: 5, spoolFailures: 2 });
    expect(valuesOf(setup).sort()).toEqual(upTo(0, 5));
    await finish(world, second.close());
  });

  test('keeps the intervals that the program stated', async () => {
    const setup = setUp();
    const { world, node, intake } = setup;
    intake.up = false;
    const first = await open(setup);
    first.gauge('m', 1, [], undefined, 30_000);
    first.gauge('n', 1);
    first.flush();
    await world.clock.advance(1000);
    first.gauge('m', 2, [], undefined, 60_000);
    first.flush();
    await world.clock.advance(1000);
    node.crash('power');
    intake.up = true;
    const second = await open(setup);
    await finish(world, second.settled());
    expect(second.stats()).toMatchObject({ recoveredPoints: 3, ackedPoints: 3, spoolBadBytes: 0 });
    const ofM = intake.statedIntervals.filter(([metric]) => metric === 'm').map(([, intervalMs]) => intervalMs);
    expect(ofM).toEqual([30_000, 60_000]);
    expect(intake.statedIntervals).toContainEqual(['n', undefined]);
    await finish(world, second.close());
  });

  test('keeps values recorded before the first intake was reached, and leaves the folder empty in the end', async () => {
    const setup = setUp();
    const { world, node, intake } = setup;
    intake.up = false;
    const first = await open(setup);
    await record(world, first, 20);
    await world.clock.advance(1000);
    expect(first.stats()).toMatchObject({ pendingPoints: 20, droppedPoints: 0 });
    node.crash('power');
    intake.up = true;
    const second = await open(setup);
    expect(second.stats().recoveredPoints).toBe(20);
    await finish(world, second.settled());
    expect(valuesOf(setup)).toEqual(upTo(0, 20));
    expect(intake.violations).toEqual([]);
    await finish(world, second.close());
    expect(node.disk.usedBytes()).toBe(0);
  });

  test('keeps unsettled batches at a clean close, and reports them', async () => {
    const setup = setUp();
    const { world, node, intake } = setup;
    intake.up = false;
    const first = await open(setup);
    first.gauge('m', 1);
    await finish(world, first.close());
    expect(first.stats()).toMatchObject({ pendingPoints: 1, droppedPoints: 0, indeterminatePoints: 0 });
    node.crash('process');
    intake.up = true;
    const second = await open(setup);
    await finish(world, second.settled());
    expect(valuesOf(setup)).toEqual([1]);
    await finish(world, second.close());
  });

  test('drops and counts the oldest batches at its limit', async () => {
    const setup = setUp();
    const { world, intake } = setup;
    intake.up = false;
    const spoolBytes = 8000;
    const client = await open(setup, { spoolBytes, memoryBytes: 100 });
    await record(world, client, 400);
    await world.clock.advance(1000);
    const { droppedPoints, pendingPoints, reasons } = client.stats();
    expect(client.stats().spoolBytes).toBeLessThanOrEqual(spoolBytes);
    expect(client.stats().spoolBytes).toBeGreaterThan(spoolBytes / 2);
    expect(droppedPoints + pendingPoints).toBe(400);
    expect(reasons).toEqual({ spool_bound: droppedPoints });
    intake.up = true;
    await finish(world, client.settled());
    expect(valuesOf(setup)).toEqual(upTo(droppedPoints, 400));
    expect(intake.violations).toEqual([]);
    await finish(world, client.close());
  });

  test('drops nothing below its limit, at any limit of memory', async () => {
    const setup = setUp();
    const { world, intake } = setup;
    intake.up = false;
    const client = await open(setup, { memoryBytes: 100, spoolFileBytes: 500 });
    await record(world, client, 100);
    await world.clock.advance(1000);
    intake.up = true;
    await finish(world, client.settled());
    expect(valuesOf(setup)).toEqual(upTo(0, 100));
    expect(client.stats()).toMatchObject({ ackedPoints: 100, droppedPoints: 0 });
    await finish(world, client.close());
  });

  test('refuses a second program', async () => {
    const setup = setUp();
    const { world, node } = setup;
    await finish(
      world,
      node.start(async ({ clock, random, disk }) => {
        const ports = { connector: setup.intake, addresses: ['a'], clock, random, disk };
        await Client.open(ports, { name: 'one' });
        await expect(Client.open(ports, { name: 'two' })).rejects.toMatchObject({ code: 'failed_precondition' });
      }),
    );
  });

  /** Changes two bytes of each record of a file that is in `damaged`, by its place. */
  async function damage(setup: Setup, suffix: string, at: number, damaged: readonly number[]): Promise<void> {
    const { world, node } = setup;
    await finish(
      world,
      node.start(async ({ disk }) => {
        const [session] = (await disk.list('spool')).filter((name) => name.length === 32);
        const names = await disk.list(`spool/${session}`);
        const file = await disk.open(`spool/${session}/${names.find((name) => name.endsWith(suffix))}`);
        const bytes = Buffer.alloc(await file.sizeBytes());
        await file.read(bytes, 0);
        let position = 44;
        for (let i = 0; position < bytes.length; i++) {
          if (damaged.includes(i)) await file.write(Uint8Array.of(0xff, 0xff), position + at);
          position += 8 + bytes.readUInt32LE(position);
        }
        await file.sync();
      }),
    );
    node.crash('process');
  }

  test('reads the good records of a damaged file, counts the others, and reuses no sequence', async () => {
    const setup = setUp();
    const { world, node, intake } = setup;
    intake.up = false;
    await record(world, await open(setup), 10);
    await world.clock.advance(1000);
    node.crash('process');
    // The middle of the third record: its checksum fails, the later ones are read.
    await damage(setup, '.waiting', 15, [2]);
    intake.up = true;
    const client = await open(setup);
    await finish(world, client.settled());
    const { reasons, recoveredPoints, ackedPoints, droppedPoints, spoolBadBytes } = client.stats();
    expect([recoveredPoints, ackedPoints, droppedPoints, reasons]).toEqual([10, 9, 1, { spool_damaged: 1 }]);
    expect(spoolBadBytes).toBeGreaterThan(0);
    expect(valuesOf(setup).length).toBe(9);
    for (const { batches } of intake.sessions.values()) {
      for (const sequence of batches.keys()) expect(sequence).toBeGreaterThanOrEqual(65_536);
    }
    await finish(world, client.close());
  });

  test.each([
    ['first', [0], 30],
    ['middle', [3, 4], 30],
    ['last', [9], 30],
    ['first, in its length', [0], 1],
    ['middle, in its length', [5], 1],
    ['last, in its length', [9], 1],
  ])('a batch whose stamp is damaged, the %s, is not sent under another stamp', async (_, damaged, at) => {
    const setup = setUp();
    const { world, node, intake } = setup;
    intake.up = false;
    await record(world, await open(setup, { maxBackoffMs: 100 }), 10);
    await world.clock.advance(1000);
    // All are stored, but no answer arrives: each is in the spool twice, as waiting and as stamped.
    intake.answer = BatchResult_Outcome.ACKED;
    intake.mute = 'a';
    intake.up = true;
    await world.clock.advance(1000);
    expect(valuesOf(setup)).toEqual(upTo(0, 10));
    node.crash('process');
    await damage(setup, '.stamped', at, damaged);
    intake.mute = undefined;
    const client = await open(setup);
    await finish(world, client.settled());
    expect(valuesOf(setup)).toEqual(upTo(0, 10));
    expect(client.stats()).toMatchObject({
      ...{ recoveredPoints: 10, ackedPoints: 10 - damaged.length, indeterminatePoints: damaged.length },
      reasons: { spool_damaged: damaged.length },
    });
    await finish(world, client.close());
  });

  test.each([
    ['series', 0, { ackedPoints: 0, droppedPoints: 3, indeterminatePoints: 3 }],
    ['refs', 2, { ackedPoints: 3, droppedPoints: 0, indeterminatePoints: 3 }],
  ])('waits for nothing when the %s are damaged', async (_, definition, counts) => {
    const setup = setUp();
    const { world, node, intake } = setup;
    intake.mute = 'a';
    const first = await open(setup, { maxBackoffMs: 100 });
    await record(world, first, 3);
    await world.clock.advance(1000);
    intake.up = false;
    intake.breakAll();
    await world.clock.advance(1000);
    await record(world, first, 3, 3);
    await world.clock.advance(1000);
    node.crash('process');
    await damage(setup, '.definitions', 12, [definition]);
    Object.assign(intake, { mute: undefined, up: true });
    const second = await open(setup);
    const startMs = world.clock.monotonicMs();
    await finish(world, second.settled());
    expect(second.stats()).toMatchObject({ recoveredPoints: 6, ...counts });
    expect(world.clock.monotonicMs() - startMs).toBeLessThan(5000);
    await finish(world, second.close());
  });
});
