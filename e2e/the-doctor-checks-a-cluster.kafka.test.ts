import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Client } from '@tidemark/client';
import type { KafkaCluster } from '@tidemark/kafka-brokers';
import { KAFKA_START_MS, kafkaSuite } from '@tidemark/kafka-brokers/testing';
import type { LocalCluster, ServiceProcess } from '@tidemark/local-cluster';
import { askDoctor, type Diagnosis } from './process/ask-doctor.ts';
import { ClusterHarness } from './process/cluster-harness.ts';
import { eventually } from './process/eventually.ts';

const PARTITIONS = 2;
/** Time limit: each diagnosis is a process of its own, on a machine that may be busy. */
const WAIT_MS = 90_000;
/** A diagnosis takes a second of CPU time: without a pause it would delay the change that it waits for. */
const POLL_EVERY_MS = 700;
const TEST_MS = 240_000;
const CLOCK_AHEAD = new URL('./process/clock-ahead.mjs', import.meta.url).href;
const SMALL_FILES = 2 ** 20;

await kafkaSuite('the doctor of a cluster', () => {
  let harness: ClusterHarness;
  let folder: string;
  let aheadFile: string;
  let kafka: KafkaCluster;
  let cluster: LocalCluster;
  let client: Client;
  let beating: NodeJS.Timeout;

  beforeAll(async () => {
    harness = await ClusterHarness.start(async (own) => {
      aheadFile = join(own, 'ahead');
      return {
        partitions: PARTITIONS,
        intakes: 2,
        pointStores: 2,
        tagStores: 1,
        aggregators: 1,
        settings: {
          lane: { lingerMs: 20, openDelayMs: 200 },
          store: { threads: 1, commitRows: 20_000 },
        },
        command: (name, command) => {
          // Its clock is set ahead when the file exists.
          if (name === 'intake-2')
            return ['env', `TEST_CLOCK_AHEAD=${aheadFile}`, command[0], '--import', CLOCK_AHEAD, ...command.slice(1)];
          // Its files have a small limit, so that its disk is full before the others'.
          if (name === 'point-store-2')
            return ['sh', '-c', `ulimit -f ${SMALL_FILES / 512} && exec "$@"`, 'sh', ...command];
          return command;
        },
        client: { name: 'agent of the test', flushIntervalMs: 100 },
      };
    });
    ({ folder, kafka, cluster, client } = harness);
    // An agent is never reported as silent, even if a diagnosis takes long.
    beating = setInterval(beat, 1000);
  }, KAFKA_START_MS * 2);

  afterAll(async () => {
    clearInterval(beating);
    await harness?.close();
  }, WAIT_MS);

  function diagnose(...args: string[]): Promise<Diagnosis> {
    return askDoctor('--settings', cluster.settingsFile, ...args);
  }

  /** Diagnoses until all of these kinds are found, where `a|b` is one of both; returns the findings. */
  async function found(kinds: Readonly<Record<string, RegExp>>): Promise<Diagnosis> {
    return eventually(
      `the doctor to find ${Object.keys(kinds).join(', ')}`,
      async () => {
        const diagnosis = await diagnose();
        const isThere = ([kind, says]: [string, RegExp]) =>
          diagnosis.findings.some((finding) => kind.split('|').includes(finding.kind) && says.test(finding.what));
        if (Object.entries(kinds).every(isThere)) return diagnosis;
        throw new Error(`it found: ${diagnosis.findings.map(({ kind, what }) => `${kind}: ${what}`).join('\n')}`);
      },
      WAIT_MS,
      POLL_EVERY_MS,
    );
  }

  async function well(): Promise<Diagnosis> {
    return eventually(
      'nothing to be wrong',
      async () => {
        const diagnosis = await diagnose();
        if (diagnosis.code === 0) return diagnosis;
        throw new Error(`it found: ${diagnosis.findings.map(({ kind, what }) => `${kind}: ${what}`).join('\n')}`);
      },
      WAIT_MS,
      POLL_EVERY_MS,
    );
  }

  function beat(): void {
    for (const metric of ['a', 'b', 'c', 'd']) client.count(metric);
  }

  async function restart(process: ServiceProcess): Promise<void> {
    process.spawn();
    await process.ready(WAIT_MS);
  }

  test(
    'finds nothing in a healthy cluster, and has asked every process',
    async () => {
      beat();
      await client.settled();
      expect((await well()).looked).toMatch(
        /^8 of 8 processes, 2 partitions, 2 open sessions, 1 client, 4 disks \(.* free at least\), 3 brokers$/,
      );
    },
    TEST_MS,
  );

  test(
    'names a dead intake and its session, which delays completeness until it is fenced',
    async () => {
      const [, second] = cluster.of('intake');
      await second.kill();
      const diagnosis = await found({
        'process-silent': /^the intake at 127\.0\.0\.1:\d+ does not answer: connection refused$/,
        // It is fenced after some seconds, in which a diagnosis on a loaded machine may not begin.
        'session-dead|session-fenced':
          /^session \w{4} \(intake \d+\) (is dead: it last renewed .* and holds back \d partition|was fenced: it had stopped renewing)/,
      });
      expect(diagnosis.code).toBe(1);
      expect(diagnosis.findings.find(({ kind }) => kind === 'process-silent')?.severity).toBe('degraded');

      // It restarts with a clock that is ahead of the brokers': it accepts no points and reports the reason.
      await writeFile(aheadFile, '30000');
      second.spawn();
      const off = await found({
        'clock-off': /^the clock of intake \d+ at 127\.0\.0\.1:\d+, or of its log, is off: the clock is off: sent at/,
      });
      expect(
        off.findings.some(({ what }) => /^clocks differ .*: intake 127\.0\.0\.1:\d+ is (2|3)\d s ahead$/.test(what)),
      ).toBe(true);
      await second.kill();
      await rm(aheadFile);
      await restart(second);
      await well();
    },
    TEST_MS,
  );

  test(
    'does not wait for a frozen store, and says that its replica answers',
    async () => {
      const [first] = cluster.of('point-store');
      const [tags] = cluster.of('tag-store');
      await first.freeze();
      const frozen = await diagnose('--timeout', '2');
      expect(frozen).toMatchObject({ code: 1, outcome: 'ill' });
      expect(frozen.findings).toContainEqual(
        expect.objectContaining({
          kind: 'process-silent',
          severity: 'degraded',
          what: expect.stringContaining(`${cluster.address(first, 'grpc')} does not answer: no response within 2 s`),
        }),
      );
      const load = setInterval(() => {
        beat();
        client.flush();
      }, 20);
      try {
        const late = await found({ 'replica-behind': /^the store at .* by [\d,]+ records.*, and does not answer$/ });
        expect(late.findings.find(({ kind }) => kind === 'replica-behind')?.what).toContain(
          cluster.address(first, 'grpc'),
        );
      } finally {
        clearInterval(load);
        first.thaw();
      }
      // It is the only tag store: no other process has its partitions.
      await tags.kill();
      const alone = await found({
        'process-silent': /^the tag store at .* no other process owns 2 of its partitions \(0, 1\)/,
      });
      expect(alone.findings.find(({ what }) => what.startsWith('the tag store'))?.severity).toBe('broken');
      await restart(tags);
      await well();
    },
    TEST_MS,
  );

  test(
    'names a topic that differs from the settings',
    async () => {
      const settings = JSON.parse(await readFile(cluster.settingsFile, 'utf8'));
      const other = join(folder, 'other.json');
      await writeFile(other, JSON.stringify({ ...settings, data: { ...settings.data, partitions: 5 } }));
      const { findings } = await askDoctor('--settings', other);
      expect(findings).toContainEqual(
        expect.objectContaining({
          kind: 'topics',
          severity: 'broken',
          what: expect.stringMatching(/tidemark-points: partitions is 2, expected at least 5/),
        }),
      );
    },
    TEST_MS,
  );

  test(
    'names a store whose disk is full',
    async () => {
      const noise = setInterval(() => {
        const nowMs = Date.now();
        for (let i = 0; i < 20_000; i++) client.gauge('noise', Math.random(), [`n:${i % 10}`], nowMs - i);
        client.flush();
      }, 200);
      try {
        const diagnosis = await found({
          'disk-full': /^the store of points\/\d in point-store \d+ at 127\.0\.0\.1:\d+ fails and retries: /,
        });
        expect(diagnosis.code).toBe(1);
        expect(diagnosis.findings.some(({ kind }) => kind === 'process-not-ready')).toBe(false);
        const [, full] = cluster.of('point-store');
        expect(await full.notReady()).toMatch(/^points\/\d can't be committed: RocksDB /);
      } finally {
        clearInterval(noise);
      }
    },
    TEST_MS,
  );

  test(
    'names an unreachable broker, and reports that all are unreachable',
    async () => {
      await kafka.broker(2).kill();
      const one = await found({ kafka: /^1 broker of 3 does not answer \(127\.0\.0\.1:\d+\): / });
      expect(one.findings.find(({ kind }) => kind === 'kafka')?.severity).toBe('degraded');
      await Promise.all([kafka.broker(1).kill(), kafka.broker(3).kill()]);
      const all = await found({
        kafka: /^no broker of .* answers: /,
        'lane-stalled': /^intake \d+ at .* can't append to \d partitions? /,
      });
      expect(all.code).toBe(1);
      expect(all.findings[0]).toMatchObject({ kind: 'kafka', severity: 'broken' });
    },
    TEST_MS,
  );
});
