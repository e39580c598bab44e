import { randomBytes } from 'node:crypto';
import { afterEach, expect, test } from '@jest/globals';
import { eventually, WITHIN_MS } from './process/eventually.ts';
import { TestHarness } from './process/test-harness.ts';

const harness = new TestHarness();
afterEach(() => harness.clear());

const KILLS = 2;
const SENDERS = 4;
const METRICS = ['kill.orders', 'kill.visits', 'kill.errors'];

test('an accepted payload survives kill -9, and a payload that is sent once is stored at most once', async () => {
  const folder = await harness.folder();
  let platform = await harness.platform({ folder });
  const { httpPort, grpcPort, httpUrl } = platform;
  const fromMs = Date.now() - 60_000;
  const accepted = new Set<string>();
  let sent = 0;

  /** Sends payloads, each once, until the platform is unreachable. */
  const sendUntilGone = async (): Promise<void> => {
    for (;;) {
      const batch = `batch:${sent++}`;
      const points = [{ timestamp: Math.floor(Date.now() / 1000), value: 1 }];
      const body = JSON.stringify({ series: METRICS.map((metric) => ({ metric, type: 1, tags: [batch], points })) });
      const headers = { 'content-type': 'application/json' };
      const answered = await fetch(`${httpUrl}/api/v2/series`, { method: 'POST', headers, body }).catch(
        () => undefined,
      );
      if (answered === undefined) return;
      expect(answered.status).toBe(202);
      accepted.add(batch);
      await answered.arrayBuffer().catch(() => undefined);
    }
  };

  for (let kill = 0; kill < KILLS; kill++) {
    const before = accepted.size;
    const sending = Array.from({ length: SENDERS }, sendUntilGone);
    await eventually('payloads to be accepted', () => accepted.size >= before + 20, WITHIN_MS, 1);
    await platform.kill9();
    await Promise.all(sending);
    platform = await harness.platform({ folder, httpPort, grpcPort });
  }

  expect(sent).toBeGreaterThan(accepted.size);
  for (const metric of METRICS) {
    const answer = await platform.queryComplete(`sum:${metric}{*} by {batch}.rollup(sum, 86400)`, fromMs, Date.now());
    const found = new Map(
      answer.series.map(({ tagSet, values }) => [tagSet[0], values.reduce((sum, one) => sum + one, 0)]),
    );
    expect([...accepted].filter((batch) => found.get(batch) !== 1)).toEqual([]);
    expect([...found].filter(([, value]) => value !== 1)).toEqual([]);
  }
}, 120_000);

test('a payload that is retried with one key until it is accepted counts once, despite kills', async () => {
  const folder = await harness.folder();
  let platform = await harness.platform({ folder });
  const { httpPort, grpcPort, httpUrl } = platform;
  const fromMs = Date.now() - 60_000;
  const headers = { 'content-type': 'application/json', 'dd-api-key': 'any' };
  const validated = await fetch(`${httpUrl}/api/v1/validate`, { headers });
  const epoch = validated.headers.get('tidemark-map-epoch') ?? '';
  expect(epoch).toMatch(/^\d+$/);
  let sent = 0;
  let repeated = 0;
  let isEnding = false;

  /** Sends one payload after the other, each until it is accepted. */
  const send = async (): Promise<void> => {
    const session = randomBytes(16).toString('hex');
    for (let sequence = 0; !isEnding; sequence++) {
      const batch = `batch:${sent++}`;
      const points = [{ timestamp: Math.floor(Date.now() / 1000), value: 1 }];
      const body = JSON.stringify({ series: METRICS.map((metric) => ({ metric, type: 1, tags: [batch], points })) });
      const key = { ...headers, 'idempotency-key': `${session}.${sequence}.${epoch}` };
      const isAccepted = async (): Promise<boolean> => {
        const answer = await fetch(`${httpUrl}/api/v2/series`, { method: 'POST', headers: key, body }).catch(
          () => undefined,
        );
        await answer?.arrayBuffer().catch(() => undefined);
        if (answer?.status === 202) return true;
        expect([undefined, 503]).toContain(answer?.status);
        repeated++;
        return false;
      };
      await eventually('a payload to be accepted', isAccepted, WITHIN_MS, 20);
      // Accepted payloads are sent again, as after a lost answer.
      if (sequence % 5 === 0) await eventually('the same payload to be accepted', isAccepted, WITHIN_MS, 20);
    }
  };

  const sending = Array.from({ length: SENDERS }, send);
  for (let kill = 0; kill < KILLS; kill++) {
    const before = sent;
    await eventually('payloads to be sent', () => sent >= before + 20, WITHIN_MS, 1);
    await platform.kill9();
    platform = await harness.platform({ folder, httpPort, grpcPort });
  }
  isEnding = true;
  await Promise.all(sending);

  expect(repeated).toBeGreaterThan(0);
  for (const metric of METRICS) {
    const answer = await platform.queryComplete(`sum:${metric}{*} by {batch}.rollup(sum, 86400)`, fromMs, Date.now());
    const found = answer.series.map(({ tagSet, values }) => [tagSet[0], values.reduce((sum, one) => sum + one, 0)]);
    expect([found.length, found.filter(([, value]) => value !== 1)]).toEqual([sent, []]);
  }
}, 120_000);
