import { execFile } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { existsSync, statSync } from 'node:fs';
import { cp, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { cacheFolder, whileLocked } from '@tidemark/child-process';
import { TidemarkError } from '@tidemark/ports';

const KAFKA_VERSION = '4.4.0';
const MIN_JAVA = 17;
/** The broker's own pom has no logging back-end, without which it logs nothing. */
const LOG_BACK_END = 'org.apache.logging.log4j:log4j-slf4j-impl:2.25.5';
const COPY_PLUGIN = 'org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies';
const FETCH_MS = 300_000;
const PROGRAM_MS = 60_000;
/** Max wait for another process that downloads the jars or makes the archive. */
export const LOCK_MS = FETCH_MS + PROGRAM_MS;

const run = promisify(execFile);

/** The Kafka distribution on this machine. */
export interface KafkaDistribution {
  /** Folder with the jars. */
  readonly jars: string;
  readonly logSettings: string;
  /** Archive of loaded classes, which halves the CPU time of a start; it may be missing. */
  readonly classArchive: string;
  /** A formatted data folder without users, to be copied; it may be missing. */
  readonly template: string;
}

export interface DistributionOptions {
  /** Folder of the jars, outside of the project. Default: `TIDEMARK_CACHE`, or `tidemark` in the user's cache. */
  readonly cacheFolder?: string;
}

/**
 * Downloads the broker with Maven where it is not in the cache yet. Of several processes only one downloads. Throws
 * `failed_precondition` without Java 17 or without Maven, and `unavailable` when the download fails; the message says
 * what to do.
 */
export async function kafkaDistribution(options: DistributionOptions = {}): Promise<KafkaDistribution> {
  const java = await javaVersion();
  const folder = join(options.cacheFolder ?? cacheFolder(), `kafka-${KAFKA_VERSION}`);
  const jars = join(folder, 'jars');
  const key = createHash('sha256').update(java).digest('hex').slice(0, 12);
  const distribution = {
    jars,
    logSettings: join(folder, 'log4j2.properties'),
    classArchive: join(folder, `classes-${key}.jsa`),
    template: join(folder, 'formatted'),
  };
  if (existsSync(jars)) return distribution;
  await whileLocked(folder, LOCK_MS, async () => {
    if (existsSync(jars)) return;
    await writeFile(distribution.logSettings, LOG_SETTINGS);
    await fetchJars(folder, jars);
  });
  return distribution;
}

async function javaVersion(): Promise<string> {
  let text: string;
  try {
    text = (await run('java', ['-version'], { timeout: PROGRAM_MS })).stderr;
  } catch (error) {
    throw missing(`java is not in the PATH; install Java ${MIN_JAVA} or later, which Kafka needs`, error);
  }
  const major = Number(/version "(\d+)/.exec(text)?.[1]);
  if (!(major >= MIN_JAVA)) throw missing(`java: ${text.split('\n')[0]} (limit: ${MIN_JAVA} or later)`);
  return text;
}

async function fetchJars(folder: string, jars: string): Promise<void> {
  const draft = await mkdtemp(join(folder, 'draft-'));
  try {
    await writeFile(join(draft, 'pom.xml'), POM);
    await run('mvn', ['-q', '-B', COPY_PLUGIN, '-DincludeScope=runtime', `-DoutputDirectory=${join(draft, 'jars')}`], {
      cwd: draft,
      timeout: FETCH_MS,
      maxBuffer: 1 << 24,
    });
    const found = await readdir(join(draft, 'jars'));
    if (!found.includes(`kafka_2.13-${KAFKA_VERSION}.jar`))
      throw new Error(`no Kafka jar among the ${found.length} jars that Maven downloaded`);
    await rename(join(draft, 'jars'), jars);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') {
      throw missing(`mvn is not in the PATH; install Maven, which downloads the jars of Kafka ${KAFKA_VERSION}`, error);
    }
    const why = error instanceof Error ? error.message.split('\n').slice(0, 5).join(' ') : String(error);
    throw new TidemarkError(
      'unavailable',
      `the download of Kafka ${KAFKA_VERSION} by Maven failed: ${why}`,
      {},
      {
        cause: error,
      },
    );
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}

/**
 * Returns a data folder formatted for a cluster with `users`, to be copied for each broker. Without users it is made
 * once and kept, because formatting starts a JVM.
 */
export async function formattedFolder(
  distribution: KafkaDistribution,
  scramUsers: Readonly<Record<string, string>>,
): Promise<{ folder: string; drop(): Promise<void> }> {
  const keep = async () => undefined;
  const isPlain = Object.keys(scramUsers).length === 0;
  if (isPlain && existsSync(distribution.template)) return { folder: distribution.template, drop: keep };
  const scratch = await mkdtemp(join(tmpdir(), 'tidemark-kafka-format-'));
  const drop = () => rm(scratch, { recursive: true, force: true });
  try {
    const data = join(scratch, 'data');
    const properties = join(scratch, 'server.properties');
    await writeFile(properties, formatProperties(data));
    const users = Object.entries(scramUsers).flatMap(([name, password]) => [
      '--add-scram',
      `SCRAM-SHA-512=[name=${name},password=${password}]`,
    ]);
    const jvm = ['-Xmx128m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', ...classArchiveFlags(distribution)];
    const command = ['format', '-t', newUuid(), '-c', properties, ...users];
    await run('java', [...jvm, '-cp', `${distribution.jars}/*`, 'kafka.tools.StorageTool', ...command], {
      timeout: PROGRAM_MS,
    });
    if (!isPlain) return { folder: data, drop };
    const draft = `${distribution.template}-${process.pid}-${randomBytes(4).toString('hex')}`;
    await cp(data, draft, { recursive: true });
    // When two processes made one, either is kept: they are equivalent.
    await rename(draft, distribution.template).catch(() => rm(draft, { recursive: true, force: true }));
    await drop();
    return { folder: distribution.template, drop: keep };
  } catch (error) {
    await drop();
    throw error;
  }
}

export function classArchiveFlags({ classArchive }: KafkaDistribution): string[] {
  const isThere = (statSync(classArchive, { throwIfNoEntry: false })?.size ?? 0) > 0;
  return isThere ? [`-XX:SharedArchiveFile=${classArchive}`, '-Xshare:auto'] : [];
}

/** Makes an id in Kafka's form: 16 bytes in base64url. */
export function newUuid(): string {
  const text = randomBytes(16).toString('base64url');
  // Kafka's command lines would parse a leading dash as a flag.
  return text.startsWith('-') ? newUuid() : text;
}

function missing(message: string, cause?: unknown): TidemarkError {
  return new TidemarkError('failed_precondition', message, {}, { cause });
}

function formatProperties(data: string): string {
  return [
    'process.roles=broker,controller',
    'node.id=1',
    'controller.quorum.voters=1@127.0.0.1:1',
    'controller.listener.names=CONTROLLER',
    'listeners=BROKER://127.0.0.1:2,CONTROLLER://127.0.0.1:1',
    'inter.broker.listener.name=BROKER',
    'listener.security.protocol.map=BROKER:PLAINTEXT,CONTROLLER:PLAINTEXT',
    `log.dirs=${data}`,
    '',
  ].join('\n');
}

const [BACK_END_GROUP, BACK_END_NAME, BACK_END_VERSION] = LOG_BACK_END.split(':');

const POM = `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>tidemark</groupId><artifactId>kafka-jars</artifactId><version>1</version><packaging>pom</packaging>
  <dependencies>
    <dependency>
      <groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>${KAFKA_VERSION}</version>
    </dependency>
    <dependency>
      <groupId>${BACK_END_GROUP}</groupId><artifactId>${BACK_END_NAME}</artifactId><version>${BACK_END_VERSION}</version>
    </dependency>
  </dependencies>
</project>
`;

const LOG_SETTINGS = `status = error
name = brokers
appender.out.type = Console
appender.out.name = OUT
appender.out.layout.type = PatternLayout
appender.out.layout.pattern = [%d] %p %m (%c)%n%ex
rootLogger.level = warn
rootLogger.appenderRef.out.ref = OUT
`;
