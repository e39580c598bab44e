import { existsSync } from 'node:fs';
import { cp, mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePorts, Watchdog, whileLocked } from '@tidemark/child-process';
import { KafkaBroker } from './broker.ts';
import { brokerCommand } from './broker-command.ts';
import { formattedFolder, type KafkaDistribution, LOCK_MS } from './distribution.ts';
import { serverProperties } from './server-properties.ts';

const START_MS = 120_000;
const STOP_MS = 60_000;

/**
 * Makes the archive of loaded classes where it is missing, by a start and a clean stop of one broker. It runs once per
 * machine, JVM and version of Kafka; of several processes only one makes it.
 */
export async function ensureClassArchive(distribution: KafkaDistribution): Promise<void> {
  if (existsSync(distribution.classArchive)) return;
  await whileLocked(join(distribution.jars, '..'), LOCK_MS, async () => {
    if (existsSync(distribution.classArchive)) return;
    await makeArchive(distribution);
  });
}

async function makeArchive(distribution: KafkaDistribution): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'tidemark-kafka-classes-'));
  const watchdog = new Watchdog(folder);
  try {
    const dataFolder = join(folder, 'data');
    const formatted = await formattedFolder(distribution, {});
    await cp(formatted.folder, dataFolder, { recursive: true });
    await formatted.drop();
    const [client, broker, controller] = await freePorts(3);
    const ports = { client, broker, controller };
    const file = join(folder, 'server.properties');
    const security = { protocol: 'PLAINTEXT' } as const;
    const voters = new Map([[1, controller]]);
    const plan = { id: 1, brokers: 1, voters, ports, advertised: ports, dataFolder, security, properties: {} };
    await writeFile(file, serverProperties(plan));
    const draft = join(folder, 'classes.jsa');
    const [java, ...rest] = brokerCommand(distribution, {});
    const one = new KafkaBroker({
      id: 1,
      command: [java, `-XX:ArchiveClassesAtExit=${draft}`, ...rest, file],
      logFile: join(folder, 'broker.log'),
      ports,
      clientPort: client,
      startMs: START_MS,
      watchdog,
    });
    one.spawn();
    try {
      await one.ready();
      await one.stop(STOP_MS);
    } finally {
      await one.kill();
    }
    await keep(draft, distribution.classArchive);
  } finally {
    await rm(folder, { recursive: true, force: true });
    watchdog.close();
  }
}

/** Moves the complete archive to its place. An empty archive records that this JVM made none. */
async function keep(draft: string, target: string): Promise<void> {
  await mkdir(join(target, '..'), { recursive: true });
  const partial = `${target}.draft`;
  await writeFile(partial, existsSync(draft) ? await readFile(draft) : '');
  await rename(partial, target);
}
