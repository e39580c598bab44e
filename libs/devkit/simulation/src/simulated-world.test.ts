import { describe, expect, test } from '@jest/globals';
import { below, isTidemarkError, type KeyValue, sleep } from '@tidemark/ports';
import { addFaultCounts, assertAllFired } from './fault-plan.ts';
import { type NodePorts, SimulatedWorld } from './simulated-world.ts';

const COUNT = Uint8Array.of(1);
const faults = {
  'disk.full': 0.02,
  'disk.write-error': 0.02,
  'disk.sync-error': 0.02,
  'disk.slow': 0.02,
  'key-value.write-error': 0.02,
  'network.drop-request': 0.05,
  'network.drop-reply': 0.05,
  'network.duplicate-request': 0.05,
  'network.delay': 0.02,
};

/** Runs a server that counts in a store and a file, clients that add with retries, and crashes. */
async function toyCluster(seed: number) {
  const world = new SimulatedWorld({ seed, faults });
  const server = world.node('server', { skewMs: 40, drift: 0.001 });
  const serve = async ({ network, openKeyValue, disk, clock, incarnation }: NodePorts) => {
    const store: KeyValue = await openKeyValue('counts');
    const file = await disk.open('journal', { create: true });
    network.handle('add', async (body) => {
      const count = ((await store.get(COUNT))?.[0] ?? 0) + Number(body);
      await file.write(Uint8Array.of(count), count);
      await file.sync();
      await store.write([{ key: COUNT, value: Uint8Array.of(count) }]);
      world.trace(`${incarnation.id} at ${clock.wallMs().toFixed(3)} counts ${count}`);
      return count;
    });
  };
  await runTo(world, server.start(serve));
  let clientsDone = 0;
  for (let i = 0; i < 3; i++) {
    const client = world.node(`client-${i}`);
    void client.start(async ({ network, clock, random }) => {
      for (let added = 0; added < 15; ) {
        await sleep(clock, below(random, 50));
        const outcome = await network.call('server', 'add', 1).then(
          (count) => {
            added++;
            return String(count);
          },
          (error) => (isTidemarkError(error) ? error.code : String(error)),
        );
        world.trace(`client-${i} got ${outcome}`);
      }
      clientsDone++;
    });
  }
  for (let i = 0; i < 4; i++) {
    await world.clock.advance(100 + below(world.random, 200));
    server.crash(i % 2 === 0 ? 'power' : 'process');
    world.trace('server crashed');
    await world.clock.advance(below(world.random, 100));
    await runTo(world, server.start(serve));
  }
  world.faults.stop();
  await world.clock.run(() => clientsDone === 3, 600_000);
  return { trace: world.traceText(), counts: world.faults.counts() };
}

async function runTo<T>(world: SimulatedWorld, task: Promise<T>): Promise<T> {
  let done = false;
  const result = task.finally(() => {
    done = true;
  });
  result.catch(() => undefined);
  await world.clock.run(() => done, 60_000);
  return result;
}

describe('SimulatedWorld', () => {
  test('equal seeds give equal traces, and other seeds give others', async () => {
    const first = await toyCluster(1);
    expect(first.trace.split('\n').length).toBeGreaterThan(50);
    expect(await toyCluster(1)).toEqual(first);
    expect((await toyCluster(2)).trace).not.toBe(first.trace);
  });

  test('every fault fires within some seeds, and a fault that never fires is an error', async () => {
    const runs = [];
    for (let seed = 10; seed < 20; seed++) runs.push((await toyCluster(seed)).counts);
    const counts = addFaultCounts(runs);
    assertAllFired(counts);
    expect(() => assertAllFired({ ...counts, 'disk.fire': { opportunities: 3, fired: 0 } })).toThrow(
      'disk.fire (3 opportunities)',
    );
  });

  test('a crashed process has no effect any more, and the next one replaces it', async () => {
    for (let seed = 0; seed < 30; seed++) {
      const world = new SimulatedWorld({ seed });
      const node = world.node('a');
      let steps = 0;
      const loop = async ({ clock, openKeyValue, disk }: NodePorts, value: number) => {
        const store = await openKeyValue('s');
        await disk.lock('data');
        const file = await disk.open('f', { create: true });
        const work = async () => {
          for (;;) {
            steps++;
            await file.write(Uint8Array.of(value), 0);
            await store.write([{ key: COUNT, value: Uint8Array.of(value) }]);
            await sleep(clock, 1);
          }
        };
        void work();
        return store;
      };
      const old = await runTo(
        world,
        node.start((ports) => loop(ports, 1)),
      );
      await world.clock.advance(world.random.next() * 20);
      const pending = node.orCrash(old.write([{ key: COUNT, value: Uint8Array.of(1) }]));
      pending.catch(() => undefined);
      node.crash();
      const stepsAtCrash = steps;
      await expect(pending).rejects.toThrow('process a#1 has crashed');
      void old.write([{ key: COUNT, value: Uint8Array.of(7) }]);
      await world.clock.advance(100);
      expect(steps).toBe(stepsAtCrash);
      const store = await runTo(
        world,
        node.start((ports) => loop(ports, 2)),
      );
      await world.clock.advance(100);
      const value = await runTo(world, store.get(COUNT));
      expect([value?.[0], node.disk.peek('f')?.[0]]).toEqual([2, 2]);
    }
  });

  test('a start that fails or crashes leaves the node stopped', async () => {
    const world = new SimulatedWorld({ seed: 1 });
    const node = world.node('a');
    await expect(
      runTo(
        world,
        node.start(() => {
          throw new Error('no');
        }),
      ),
    ).rejects.toThrow('no');
    expect(node.running).toBe(false);
    const hanging = node.start(() => new Promise(() => undefined));
    node.crash();
    await expect(hanging).rejects.toThrow('a#2 has crashed');
    expect(
      await runTo(
        world,
        node.start(() => 'up'),
      ),
    ).toBe('up');
  });
});
