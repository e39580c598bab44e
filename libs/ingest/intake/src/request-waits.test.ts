import { describe, expect, test } from '@jest/globals';
import { TENANT } from './intake-bench.fixture.ts';
import { batchesOf, gauge, idOf, request, started, stored, WAIT_MS } from './request-intake.fixture.ts';

describe('the wait of requests', () => {
  test('requests that come while a batch is under way are the next batch, with one share per partition', async () => {
    const { bench, intake } = await started({ gatherMs: WAIT_MS });
    const startMs = bench.clock.monotonicMs();
    const sent = Array.from({ length: 6 }, (_, i) =>
      request(bench, intake, [gauge(0, `n:${i}`), gauge(1, `n:${i}`), gauge(0, 'same:1')], i).send(),
    );
    const results = await bench.play(Promise.all(sent));
    expect(results.map(({ outcome, acceptedPoints }) => [outcome, acceptedPoints])).toEqual(
      Array.from({ length: 6 }, () => ['acked', 3]),
    );
    expect(bench.clock.monotonicMs() - startMs).toBeLessThan(WAIT_MS / 10);
    const points = await stored(bench);
    expect(batchesOf(points)).toEqual([3, 15]);
    // Of a series' points at one time, the last is the one that was sent last.
    const same = points.filter(({ series }) => series === idOf(gauge(0, 'same:1')));
    expect(same.map(({ value }) => value)).toEqual([0, 1, 2, 3, 4, 5]);
    for (let i = 0; i < 6; i++) {
      for (const series of [gauge(0, `n:${i}`), gauge(1, `n:${i}`)]) {
        expect(points.filter((point) => point.series === idOf(series)).map(({ value }) => value)).toEqual([i]);
      }
    }
  });

  test('a request alone is sent at once, and so is each of one after the other', async () => {
    const { bench, intake } = await started({ gatherMs: WAIT_MS });
    const startMs = bench.clock.monotonicMs();
    for (let i = 0; i < 5; i++) await bench.play(request(bench, intake, [gauge(0), gauge(1)], i).send());
    expect(bench.clock.monotonicMs() - startMs).toBeLessThan(WAIT_MS / 20);
    expect(batchesOf(await stored(bench))).toEqual([2, 2, 2, 2, 2]);
  });

  test('a batch waits for the requests that have arrived, not for later ones, nor for those of others', async () => {
    const { bench, intake } = await started({ gatherMs: WAIT_MS });
    const startMs = bench.clock.monotonicMs();
    /** Receives a request, and returns how to end its decoding. */
    const receive = (tenant = TENANT) => {
      const decoded = Promise.withResolvers<void>();
      const received = intake.receive(tenant, async () => {
        await decoded.promise;
        return { result: request(bench, intake, [gauge(0)]).send() };
      });
      return { decoded, result: received.then(({ result }) => result) };
    };
    receive('other');
    const arrived = [receive(), receive(), receive()];
    arrived[0].decoded.resolve();
    await bench.advance(500);
    expect(await stored(bench)).toEqual([]);
    receive();
    // A body that can't be decoded ends the wait for it, too.
    arrived[1].decoded.reject(new Error('malformed'));
    arrived[2].decoded.resolve();
    await expect(bench.play(arrived[1].result)).rejects.toThrow('malformed');
    for (const { result } of [arrived[0], arrived[2]])
      expect(await bench.play(result)).toMatchObject({ outcome: 'acked' });
    expect(batchesOf(await stored(bench))).toEqual([2]);
    expect(bench.clock.monotonicMs() - startMs).toBeLessThan(WAIT_MS / 10);
  });

  test('the wait for a request that takes long is bounded', async () => {
    const { bench, intake } = await started({ gatherMs: 70 });
    void intake.receive(TENANT, () => new Promise(() => undefined));
    for (let i = 0; i < 3; i++) {
      const startMs = bench.clock.monotonicMs();
      expect(await bench.play(request(bench, intake, [gauge(0)], i).send())).toMatchObject({ outcome: 'acked' });
      const waitedMs = bench.clock.monotonicMs() - startMs;
      expect([waitedMs >= 70, waitedMs < 300]).toEqual([true, true]);
    }
  });

  test('a partition that stores nothing delays requests of the others by the bound alone', async () => {
    const { bench, intake } = await started({ gatherMs: 70 });
    bench.unreachable.add('points/1');
    const stuck = request(bench, intake, [gauge(1)]).send();
    const startMs = bench.clock.monotonicMs();
    for (let i = 0; i < 5; i++)
      expect(await bench.play(request(bench, intake, [gauge(0)], i).send())).toMatchObject({ outcome: 'acked' });
    expect(bench.clock.monotonicMs() - startMs).toBeLessThan(5 * 300);
    bench.unreachable.clear();
    expect(await bench.play(stuck)).toMatchObject({ outcome: 'acked' });
  });

  test('a batch grows to its limit while another one is under way, and is sent then', async () => {
    const { bench, intake } = await started({ gatherMs: WAIT_MS, batchPoints: 4 });
    bench.unreachable.add('points/1');
    const stuck = request(bench, intake, [gauge(1)]).send();
    const sent = Array.from({ length: 10 }, (_, i) =>
      request(bench, intake, [gauge(0, 'a:1'), gauge(0, 'b:1')], i).send(),
    );
    await bench.play(Promise.all(sent));
    expect(batchesOf(await stored(bench))).toEqual([4, 4, 4, 4, 4]);
    bench.unreachable.clear();
    expect(await bench.play(stuck)).toMatchObject({ outcome: 'acked' });
  });

  test('a batch that a partition does not store fails the requests with points there alone', async () => {
    const { bench, intake } = await started();
    const first = request(bench, intake, [gauge(0)]).send();
    const together = [[gauge(0, 'a:1')], [gauge(1)], [gauge(0, 'b:1'), gauge(1)], [gauge(0, 'c:1')]];
    const sent = together.map((series, i) => request(bench, intake, series, i).send());
    bench.full.add('points/1');
    expect(await bench.play(first)).toMatchObject({ outcome: 'acked' });
    const results = await bench.play(Promise.all(sent));
    expect(results.map(({ outcome }) => outcome)).toEqual(['acked', 'retry', 'retry', 'acked']);
    bench.full.clear();
    await bench.advance(12_000);
    expect(await bench.play(request(bench, intake, [gauge(1)]).send())).toMatchObject({ outcome: 'acked' });
  });
});
