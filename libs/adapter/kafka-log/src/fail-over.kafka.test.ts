import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { TcpLink } from '@tidemark/child-process';
import { type KafkaBroker, KafkaCluster } from '@tidemark/kafka-brokers';
import { KAFKA_START_MS, kafkaSuite } from '@tidemark/kafka-brokers/testing';
import { SystemClock, SystemRandom } from '@tidemark/node-runtime';
import { type KafkaLog, type KafkaLogOptions, openKafkaLog, prepareTopics } from './index.ts';
import { ClusterAdmin } from './testing/cluster-admin.ts';
import { Traffic } from './testing/traffic.ts';

const PARTITIONS = 3;
const TOPIC = 'breaking-points';
const DEADLINE_MS = 180_000;
const CLEAN = { lost: 0, doubled: 0, outOfOrder: 0, misplaced: 0 };
const parts = { clock: new SystemClock(), random: new SystemRandom() };

await kafkaSuite('a log whose brokers fail under load', () => {
  let cluster: KafkaCluster;
  let log: KafkaLog;
  let admin: ClusterAdmin;
  let options: KafkaLogOptions;
  const links = new Map<number, TcpLink>();
  /** Links of a client with a route of its own. */
  const ownLinks: TcpLink[] = [];

  beforeAll(async () => {
    cluster = await KafkaCluster.start({
      brokers: 3,
      routes: 1,
      async advertise({ broker, listener, route, port }) {
        if (listener !== 'client') return port;
        const link = await TcpLink.open(port);
        if (route === undefined) links.set(broker, link);
        else ownLinks.push(link);
        return link.port;
      },
    });
    const limits = { requestMs: 3000, recordBytes: 64 * 1024 };
    options = { brokers: cluster.bootstrap, clientId: 'test', topicPrefix: 'breaking-', limits };
    await prepareTopics(options, { partitions: { points: PARTITIONS, tags: 1 }, recordBytes: 64 * 1024 }, parts);
    log = await openKafkaLog(options, parts);
    admin = new ClusterAdmin(cluster.brokers.map(({ ports }) => `127.0.0.1:${ports.client}`));
  }, KAFKA_START_MS);

  afterAll(async () => {
    await log.close();
    await admin.close();
    await cluster.close();
    await Promise.all([...links.values(), ...ownLinks].map((link) => link.close()));
  });

  async function leaderOf(partition: number): Promise<KafkaBroker> {
    return cluster.broker((await admin.partitions(TOPIC))[partition].leader);
  }

  /** Waits until all replicas of all partitions are in sync. */
  async function whole(): Promise<void> {
    await until(async () =>
      (await admin.partitions(TOPIC)).every(({ replicas, inSync }) => inSync.length === replicas.length),
    );
  }

  async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
    const deadlineMs = performance.now() + 60_000;
    while (!(await condition())) {
      expect(performance.now()).toBeLessThan(deadlineMs);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }

  /** Breaks something under load, continues while it is broken, repairs it, and continues. */
  async function under(breakIt: () => Promise<() => Promise<void> | void>): Promise<Traffic> {
    const traffic = await Traffic.start(log, parts.clock, { partitions: PARTITIONS });
    await traffic.progress(10);
    const heal = await breakIt();
    await traffic.progress(10);
    await heal();
    await traffic.progress(10);
    expect(await traffic.finish()).toEqual(CLEAN);
    expect(traffic.acknowledged).toBeGreaterThanOrEqual(90);
    await whole();
    return traffic;
  }

  test(
    'no record is lost, doubled or reordered when a leader is killed',
    async () => {
      await under(async () => {
        const broker = await leaderOf(0);
        await broker.kill();
        return () => broker.restart();
      });
    },
    DEADLINE_MS,
  );

  test(
    'no record is lost, doubled or reordered when a leader freezes, and wakes up as a former leader',
    async () => {
      await under(async () => {
        const broker = await leaderOf(1);
        await broker.freeze();
        return () => broker.thaw();
      });
    },
    DEADLINE_MS,
  );

  test(
    'lost replies leave unknown outcomes, and a repeat settles each',
    async () => {
      const traffic = await under(async () => {
        for (const link of links.values()) link.set('mute');
        // The brokers have stored the appends by now, and no client has received a reply.
        await new Promise((resolve) => setTimeout(resolve, 500));
        for (const link of links.values()) {
          link.reset();
          link.set('open');
        }
        return () => undefined;
      });
      expect(traffic.acknowledged).toBeGreaterThan(0);
    },
    DEADLINE_MS,
  );

  test(
    'no record is lost, doubled or reordered when clients cannot reach a leader',
    async () => {
      const traffic = await Traffic.start(log, parts.clock, { partitions: PARTITIONS });
      await traffic.progress(10);
      const link = links.get((await leaderOf(2)).id);
      link?.set('stalled');
      // The broker still leads, so its partitions make no progress; no append is given up.
      await new Promise((resolve) => setTimeout(resolve, 4000));
      link?.set('open');
      await traffic.progress(10);
      expect(await traffic.finish()).toEqual(CLEAN);
      expect([...traffic.errors.keys()].join('\n')).toMatch(/no answer in time/);
    },
    DEADLINE_MS,
  );

  test(
    'other clients continue while one client reaches no broker, and it continues once it reaches them',
    async () => {
      const alone = await openKafkaLog({ ...options, brokers: cluster.bootstrapOf(0) }, parts);
      const writer = await alone.writer('tags', 0);
      await writer.append(0, new Uint8Array(10));
      await under(async () => {
        for (const link of ownLinks) link.set('cut');
        await expect(writer.append(1, new Uint8Array(10))).rejects.toMatchObject({
          code: expect.stringMatching(/^(unavailable|deadline_exceeded)$/),
        });
        return () => {
          for (const link of ownLinks) link.set('open');
        };
      });
      await until(() => writer.append(1, new Uint8Array(10)).then(Boolean, () => false));
      await alone.close();
    },
    DEADLINE_MS,
  );

  test(
    'no record is lost, doubled or reordered when partitions are reassigned',
    async () => {
      await under(async () => {
        const before = await admin.partitions(TOPIC);
        for (const [partition, { replicas }] of before.entries()) {
          await admin.reassign(TOPIC, partition, [...replicas.slice(1), replicas[0]].slice(0, 2));
        }
        return async () => {
          for (const [partition, { replicas }] of before.entries()) await admin.reassign(TOPIC, partition, replicas);
        };
      });
    },
    DEADLINE_MS,
  );

  test(
    'no record is lost, doubled or reordered when all brokers are killed at once',
    async () => {
      await under(async () => {
        await Promise.all(cluster.brokers.map((broker) => broker.kill()));
        for (const broker of cluster.brokers) broker.spawn();
        await cluster.ready();
        return () => undefined;
      });
    },
    DEADLINE_MS,
  );

  // A full disk is made by `prlimit`, which other systems don't have.
  const onLinux = process.platform === 'linux' ? test : test.skip;
  onLinux(
    'no record is lost, doubled or reordered when the disk of a broker is full',
    async () => {
      await under(async () => {
        const broker = await leaderOf(0);
        await broker.limitFileSize(0);
        return async () => {
          // A broker that cannot write takes its only data folder offline, and stops.
          await until(() => !broker.isRunning);
          await broker.restart();
        };
      });
    },
    DEADLINE_MS,
  );
});
