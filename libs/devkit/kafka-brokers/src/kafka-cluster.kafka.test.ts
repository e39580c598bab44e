import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { TcpLink } from '@tidemark/child-process';
import { KafkaCluster } from './index.ts';
import { aliveBrokers } from './readiness.ts';
import { KAFKA_START_MS, kafkaSuite } from './testing/kafka-suite.ts';

await kafkaSuite('a cluster of real brokers', () => {
  let cluster: KafkaCluster;
  const links = new Map<string, TcpLink>();

  beforeAll(async () => {
    cluster = await KafkaCluster.start({
      brokers: 2,
      async advertise({ broker, listener, port }) {
        const link = await TcpLink.open(port);
        links.set(`${listener}-${broker}`, link);
        return link.port;
      },
    });
  }, KAFKA_START_MS);

  afterAll(async () => {
    await cluster.close();
    await Promise.all([...links.values()].map((link) => link.close()));
    expect(existsSync(cluster.folder)).toBe(false);
  });

  test('each broker lists all brokers at the ports of the advertised links', async () => {
    const ports = ['client-1', 'client-2'].map((name) => links.get(name)?.port);
    expect(cluster.bootstrap).toEqual(ports.map((port) => `127.0.0.1:${port}`));
    for (const port of ports) expect(await aliveBrokers(port ?? 0)).toEqual([1, 2]);
    expect(cluster.broker(1).cpuSeconds() ?? 1).toBeGreaterThan(0);
  });

  test(
    'a frozen broker does not answer until it thaws',
    async () => {
      const broker = cluster.broker(2);
      await broker.freeze();
      expect(await aliveBrokers(broker.ports.client)).toEqual([]);
      broker.thaw();
      await broker.ready([1, 2]);
    },
    KAFKA_START_MS,
  );

  test(
    'a killed broker is unreachable, and returns with its data',
    async () => {
      const broker = cluster.broker(2);
      const { pid } = broker;
      await broker.kill();
      expect(broker.isRunning).toBe(false);
      expect(() => process.kill(pid, 0)).toThrow();
      await broker.restart();
      await cluster.ready();
      expect(broker.pid).not.toBe(pid);
    },
    KAFKA_START_MS,
  );

  test(
    'brokers end and their temporary folder is removed when the process that started them is killed',
    async () => {
      const script = `const { KafkaCluster } = await import(${JSON.stringify(new URL('index.ts', import.meta.url).href)});
      const cluster = await KafkaCluster.start({ brokers: 1 });
      console.log(JSON.stringify({ pid: cluster.broker(1).pid, folder: cluster.folder }));
      setInterval(() => undefined, 1000);`;
      const child = spawn(process.execPath, ['--no-warnings', '--input-type=module', '-e', script], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      const line = await new Promise<string>((resolve, reject) => {
        child.stdout.once('data', (chunk) => resolve(String(chunk)));
        child.once('exit', (code) => reject(new Error(`ended with ${code}`)));
      });
      const { pid, folder } = JSON.parse(line) as { pid: number; folder: string };
      process.kill(pid, 0);
      child.kill('SIGKILL');
      const deadlineMs = performance.now() + 30_000;
      const isGone = () => {
        try {
          process.kill(pid, 0);
          return false;
        } catch {
          return !existsSync(folder);
        }
      };
      while (!isGone()) {
        expect(performance.now()).toBeLessThan(deadlineMs);
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    },
    KAFKA_START_MS,
  );
});
