import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { TcpLink } from '@tidemark/child-process';
import type { Client } from '@tidemark/client';
import { askDoctor, type Diagnosis } from './process/ask-doctor.ts';
import { ClientUnderTest } from './process/client-under-test.ts';
import { eventually } from './process/eventually.ts';
import { IntakePeer } from './process/intake-peer.ts';
import type { PlatformUnderTest } from './process/platform-under-test.ts';
import { TestHarness } from './process/test-harness.ts';

const harness = new TestHarness();
afterAll(() => harness.clear(), 60_000);

const MIB = 2 ** 20;
/** Time limit: each diagnosis is a process of its own, on a machine that may be busy. */
const WITHIN_MS = 60_000;
const TEST_MS = 150_000;

function doctorOf(platform: PlatformUnderTest, ...args: string[]): Promise<Diagnosis> {
  return askDoctor('--address', platform.grpcAddress, ...args);
}

/** Diagnoses until there is a finding of this kind; returns the diagnosis and the finding. */
async function found(kind: string, diagnose: () => Promise<Diagnosis>, says = /./) {
  return eventually(
    `the doctor to find ${kind}`,
    async () => {
      const diagnosis = await diagnose();
      const finding = diagnosis.findings.find((one) => one.kind === kind && says.test(one.what));
      if (finding === undefined) throw new Error(`it found: ${diagnosis.findings.map(({ what }) => what).join('; ')}`);
      return { ...finding, code: diagnosis.code };
    },
    WITHIN_MS,
    200,
  );
}

/** Sends values that do not compress, without waiting for the acknowledgements. */
function fill(client: Client, points: number): void {
  const nowMs = Date.now();
  for (let i = 0; i < points; i++) {
    client.count('app.noise', 1 + Math.floor(Math.random() * 2 ** 30), [`n:${i % 10}`], nowMs - i);
  }
  client.flush();
}

describe('one process', () => {
  test(
    'a healthy process gets one line, and the doctor does not hang on a frozen or dead one',
    async () => {
      const platform = await harness.platform({ latenessMs: 3000 });
      const client = await harness.client(platform.grpcAddress, { name: 'agent web-1', flushIntervalMs: 200 });
      const well = await eventually(
        'the doctor to find nothing',
        async () => {
          // An agent that is silent for 15 s is reported, even if a diagnosis takes long.
          client.count('a');
          const diagnosis = await doctorOf(platform);
          if (diagnosis.code === 0 && /1 client/.test(diagnosis.looked)) return diagnosis;
          throw new Error(JSON.stringify(diagnosis));
        },
        WITHIN_MS,
      );
      expect(well).toMatchObject({ outcome: 'healthy', findings: [] });
      expect(well.looked).toMatch(/^1 of 1 process, 2 partitions, 1 open session, 1 client, 1 disk \(.* free\)$/);

      platform.freeze();
      const startMs = performance.now();
      const frozen = await doctorOf(platform, '--timeout', '1');
      platform.thaw();
      expect(performance.now() - startMs).toBeLessThan(WITHIN_MS);
      expect(frozen).toMatchObject({ code: 2, outcome: 'blind' });
      expect(frozen.findings).toMatchObject([
        { kind: 'process-silent', severity: 'broken', what: expect.stringContaining('no response within 1 s') },
      ]);

      await platform.kill9();
      const dead = await doctorOf(platform);
      expect(dead).toMatchObject({ code: 2, outcome: 'blind' });
      expect(dead.findings).toMatchObject([
        {
          kind: 'process-silent',
          what: expect.stringContaining('refused'),
          next: expect.stringContaining('npm start'),
        },
      ]);
    },
    TEST_MS,
  );

  test(
    'a halted partition is reported with its offset and the command to skip it, and then the gap is a note',
    async () => {
      const platform = await harness.platform();
      const beforeMs = Date.now();
      const offset = await platform.append('points', 1, Buffer.from('not a block'));
      const halted = await found('partition-halted', () => doctorOf(platform));
      expect(halted).toMatchObject({
        severity: 'broken',
        code: 1,
        what: expect.stringContaining(`points/1 is halted at offset ${offset}: `),
        next: expect.stringContaining(`npm run -s tidemark -- skip points 1 ${offset} --reason`),
      });
      expect(halted.since_ms).toBeGreaterThanOrEqual(beforeMs);
      expect(halted.since_ms).toBeLessThanOrEqual(Date.now());
      await platform.skip('points', 1, offset, 'a test');
      const gap = await eventually(
        'nothing but a gap',
        async () => {
          const { code, findings } = await doctorOf(platform);
          return code === 0 && findings;
        },
        WITHIN_MS,
      );
      expect(gap).toMatchObject([{ kind: 'gap', severity: 'note' }]);
    },
    TEST_MS,
  );

  test(
    'a key that is not an operator of the default tenant sees its own status, but no health report',
    async () => {
      const platform = await harness.platform();
      const admin = await platform.createKey('default', 'ops', ['admin']);
      const other = await platform.createKey('acme', 'ops', ['admin'], admin);
      const refused = await doctorOf(platform, '--key', other);
      expect(refused).toMatchObject({ code: 0, outcome: 'healthy' });
      expect(refused.findings).toMatchObject([
        { kind: 'process-refuses', severity: 'note', what: expect.stringContaining('default') },
      ]);
      expect(JSON.stringify(refused)).not.toContain(other);
      const wrong = await doctorOf(platform, '--key', 'tdm_wrong');
      expect(wrong.code).toBe(2);
      expect(wrong.findings.map(({ kind }) => kind)).toEqual(['process-refuses']);
    },
    TEST_MS,
  );

  test(
    'a full log and an exhausted budget are reported',
    async () => {
      const log = { maxBytes: MIB / 2, segmentBytes: 64 * 1024 };
      const platform = await harness.platform({ log, metricSeries: 20, timing: { appendMs: 500 } });
      const client = await harness.client(platform.grpcAddress);
      for (let i = 0; i < 30; i++) client.count('many.series', 1, [`n:${i}`]);
      client.flush();
      await client.settled();
      const budget = await found('over-budget', () => doctorOf(platform));
      expect(budget).toMatchObject({
        severity: 'degraded',
        what: expect.stringContaining('metric many.series of tenant default'),
      });
      for (let i = 0; i < 40; i++) fill(client, 4000);
      const full = await found('log-full', () => doctorOf(platform));
      expect(full).toMatchObject({
        severity: 'broken',
        code: 1,
        what: expect.stringMatching(/the log is full.*maxBytes/),
      });
    },
    TEST_MS,
  );

  test(
    'a store with a full disk is reported with its lag',
    async () => {
      // The files of the log stay below the limit; those of a store's database exceed it.
      const platform = await harness.platform(
        { log: { segmentBytes: 256 * 1024 }, points: { commitRows: 50_000 } },
        { largestFileBytes: MIB },
      );
      const client = await harness.client(platform.grpcAddress, { memoryBytes: 64 * MIB });
      const noise = setInterval(() => fill(client, 10_000), 100);
      harness.onClear(async () => clearInterval(noise));
      const full = await found('disk-full', () => doctorOf(platform));
      expect(full).toMatchObject({
        severity: 'broken',
        what: expect.stringMatching(/the store of points\/\d in tidemark \d+ fails and retries/),
      });
      const lag = await found('store-lags', () => doctorOf(platform));
      expect(lag.what).toMatch(/^\d stores? (is|are) behind the log: points\/\d by [\d,]+ records/);
      clearInterval(noise);
      await client.close();
      await platform.kill9();
    },
    TEST_MS,
  );

  test(
    'a clock that is ahead is reported with the difference',
    async () => {
      const file = join(await harness.folder(), 'ahead');
      await writeFile(file, '65000');
      const platform = await harness.platform({}, { clockAheadFile: file });
      const clock = await found('clock-off', () => doctorOf(platform));
      expect(clock).toMatchObject({
        severity: 'broken',
        what: expect.stringMatching(/platform 127\.0\.0\.1:\d+ is 1 min \d s ahead/),
      });
    },
    TEST_MS,
  );
});

describe('agents', () => {
  let platform: PlatformUnderTest;

  beforeAll(async () => {
    platform = await harness.platform();
  }, TEST_MS);

  test(
    'killed, disconnected and late agents are reported, and recovered agents are not',
    async () => {
      const killed = new ClientUnderTest({
        name: 'agent killed',
        address: platform.grpcAddress,
        spoolFolder: await harness.folder(),
      });
      harness.onClear(() => killed.kill9());
      const link = await TcpLink.open(platform.grpcPort);
      harness.onClear(async () => link.close());
      const cut = await harness.client(`127.0.0.1:${link.port}`, {
        name: 'agent cut-off',
        spoolFolder: await harness.folder(),
        flushIntervalMs: 200,
        replyTimeoutMs: 120_000,
      });
      const beat = setInterval(() => cut.gauge('beat', 1), 100);
      harness.onClear(async () => clearInterval(beat));
      await killed.count('a', 1, Date.now());
      await eventually(
        'both to be connected',
        async () => /2 clients/.test((await doctorOf(platform)).looked),
        WITHIN_MS,
      );

      link.set('stalled');
      await killed.kill9();
      const lost = await found('agent-lost', () => doctorOf(platform));
      expect(lost.what).toMatch(/^1 agent has left and not reconnected: agent killed for \d+ s$/);
      const silent = await found('agent-behind', () => doctorOf(platform));
      expect(silent.what).toMatch(/^1 agent is connected but silent: agent cut-off for \d+ s$/);

      // Its frontier says that points of a minute ago may still follow.
      const late = await IntakePeer.greeted(platform.grpcAddress);
      harness.onClear(async () => late.close());
      await late.batch([], { frontierMs: Date.now() - 60_000 });
      const behind = await found('agent-behind', () => doctorOf(platform), /deliver/);
      expect(behind.what).toMatch(/^1 client is delivering late data: peer by 1 min/);
      await late.batch([], { sequence: 1, frontierMs: Date.now() });

      link.set('open');
      const again = new ClientUnderTest({
        name: 'agent killed',
        address: platform.grpcAddress,
        spoolFolder: await harness.folder(),
      });
      harness.onClear(() => again.kill9());
      await eventually(
        'nothing to be wrong',
        async () => {
          await again.count('a', 1, Date.now());
          const { code, findings } = await doctorOf(platform);
          if (code !== 0) throw new Error(JSON.stringify(findings));
          return true;
        },
        WITHIN_MS,
      );
    },
    TEST_MS,
  );
});
