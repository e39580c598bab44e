import { describe, expect, test } from '@jest/globals';
import { TidemarkError } from '@tidemark/ports';
import { FaultPlan } from './fault-plan.ts';
import { Incarnation } from './incarnation.ts';
import { SeededRandom } from './seeded-random.ts';
import { SimulatedClock } from './simulated-clock.ts';
import { SimulatedNetwork } from './simulated-network.ts';
import type { StreamEnd } from './stream-link.ts';

function setUp(seed: number, probabilities: Record<string, number> = {}) {
  const random = new SeededRandom(seed);
  const clock = new SimulatedClock({ shuffle: random.fork('clock') });
  const faults = new FaultPlan(random.fork('faults'), probabilities);
  const network = new SimulatedNetwork({ clock, random: random.fork('network'), faults });
  const server = new Incarnation('server');
  const client = new Incarnation('client');
  const at = { server: network.bind(server), client: network.bind(client) };
  async function run<T>(task: Promise<T>): Promise<T> {
    let done = false;
    const result = task.finally(() => {
      done = true;
    });
    result.catch(() => undefined);
    await clock.run(() => done, 60_000);
    return result;
  }
  return { clock, faults, network, server, client, at, run };
}

describe('requests', () => {
  test('resolve to the reply, or reject with the error or a missing method', async () => {
    const { at, run } = setUp(1);
    at.server.handle('double', async (body) => Number(body) * 2);
    at.server.handle('refuse', async () => {
      throw new TidemarkError('out_of_range', 'too far');
    });
    at.server.handle('fail', async () => {
      throw new Error('bug');
    });
    expect(await run(at.client.call('server', 'double', 21))).toBe(42);
    await expect(run(at.client.call('server', 'refuse', 1))).rejects.toMatchObject({ code: 'out_of_range' });
    await expect(run(at.client.call('server', 'fail', 1))).rejects.toMatchObject({ code: 'internal' });
    await expect(run(at.client.call('server', 'none', 1))).rejects.toMatchObject({ code: 'unimplemented' });
    await expect(run(at.client.call('nobody', 'double', 1))).rejects.toMatchObject({ code: 'unavailable' });
  });

  test('are lost before or after their execution, and are executed twice', async () => {
    const { at, run, faults } = setUp(2, {
      'network.drop-request': 0.2,
      'network.drop-reply': 0.2,
      'network.duplicate-request': 0.2,
      'network.delay': 0.1,
    });
    const executions = new Map<unknown, number>();
    at.server.handle('do', async (body) => executions.set(body, (executions.get(body) ?? 0) + 1));
    const outcomes = new Set<string>();
    for (let i = 0; i < 200; i++) {
      const ok = await run(at.client.call('server', 'do', i)).then(
        () => 'ok',
        (error) => error.code,
      );
      outcomes.add(`${ok} ${executions.get(i) ?? 0}`);
    }
    for (const outcome of ['ok 1', 'ok 2', 'unavailable 0', 'unavailable 1']) expect([...outcomes]).toContain(outcome);
    expect([...outcomes]).not.toContain('ok 0');
    for (const count of Object.values(faults.counts())) expect(count.fired).toBeGreaterThan(0);
  });

  test('fail across a partition, and to a process that crashes during its answer', async () => {
    const { at, run, network, server, clock } = setUp(3);
    at.server.handle('hang', () => new Promise(() => undefined));
    network.partition('client', 'server');
    await expect(run(at.client.call('server', 'hang', 1))).rejects.toMatchObject({ code: 'unavailable' });
    network.heal('server', 'client');
    clock.setTimer(100, () => server.end());
    await expect(run(at.client.call('server', 'hang', 1))).rejects.toMatchObject({ code: 'unavailable' });
  });
});

test('a request that seemed lost may still arrive, even after the end of its sender', async () => {
  const { at, run, network, client, clock } = setUp(4, { 'network.late-request': 0.5 });
  const came: unknown[] = [];
  at.server.handle('do', async (body) => came.push(body));
  network.partition('client', 'server');
  for (let i = 0; i < 40; i++)
    await expect(run(at.client.call('server', 'do', i))).rejects.toMatchObject({ code: 'unavailable' });
  expect(came).toEqual([]);
  const late = network.lateRequests;
  client.end();
  network.heal('client', 'server');
  await clock.advance(30_000);
  expect([came.length, network.lateRequests]).toEqual([late, 0]);
  expect(came.length).toBeGreaterThan(3);
  expect(new Set(came).size).toBe(came.length);
});

describe('streams', () => {
  test('keep the order both ways, and close after the last message', async () => {
    const { at, run, clock } = setUp(4, { 'network.delay': 0.2 });
    const got: unknown[] = [];
    const back: unknown[] = [];
    let ended: unknown = 'open';
    at.server.listen('echo', (stream) => {
      stream.onMessage((message) => {
        got.push(message);
        stream.send(message);
      });
      stream.onEnd((error) => {
        ended = error;
      });
    });
    const stream = await run(at.client.connect('server', 'echo'));
    stream.onMessage((message) => back.push(message));
    for (let i = 0; i < 100; i++) stream.send(i);
    const expected = Array.from({ length: 100 }, (_, i) => i);
    await clock.run(() => back.length === 100, 60_000);
    stream.close();
    stream.send('after');
    await clock.run(() => ended === undefined, 60_000);
    expect([got, back]).toEqual([expected, expected]);
  });

  test('lose a suffix each way at a break, of which both ends are informed', async () => {
    const suffixes = new Set<number>();
    for (let seed = 0; seed < 30; seed++) {
      const { at, run, clock, network } = setUp(seed);
      const got: unknown[] = [];
      const ends: unknown[] = [];
      let accepted: StreamEnd | undefined;
      at.server.listen('s', (stream) => {
        accepted = stream;
        stream.onMessage((message) => got.push(message));
        stream.onEnd((error) => ends.push(error?.code));
      });
      const stream = await run(at.client.connect('server', 's'));
      stream.onEnd((error) => ends.push(error?.code));
      for (let i = 0; i < 10; i++) stream.send(i);
      network.partition('client', 'server');
      stream.send('lost');
      accepted?.send('lost');
      await clock.run(() => ends.length === 2, 60_000);
      expect(ends).toEqual(['unavailable', 'unavailable']);
      expect(got).toEqual(Array.from({ length: got.length }, (_, i) => i));
      suffixes.add(got.length);
    }
    expect(suffixes.size).toBeGreaterThan(3);
  });

  test('of an ended process carry nothing more, and the other end is informed', async () => {
    const { at, run, clock, client } = setUp(5);
    const got: unknown[] = [];
    let ended = '';
    let served = 0;
    at.server.listen('s', (stream) => {
      served++;
      stream.onMessage((message) => got.push(message));
      stream.onEnd((error) => {
        ended = error?.code ?? '';
      });
      stream.send('hello');
    });
    let received = 0;
    const stream = await run(at.client.connect('server', 's'));
    client.end();
    stream.onMessage(() => received++);
    stream.send('from beyond');
    let settled = 0;
    at.client.call('server', 'x', 1).finally(() => settled++);
    at.client.connect('server', 's').finally(() => settled++);
    await clock.run(() => ended === 'unavailable', 60_000);
    await clock.advance(10_000);
    expect([got, received, settled, served]).toEqual([[], 0, 0, 1]);
  });

  test('have a limit of messages in transit', async () => {
    const { at, run } = setUp(6);
    at.server.listen('s', () => undefined);
    const stream = await run(at.client.connect('server', 's'));
    for (let i = 0; i < 10_000; i++) stream.send(i);
    expect(() => stream.send('more')).toThrow('too many messages');
  });
});
