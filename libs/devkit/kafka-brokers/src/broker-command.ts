import { classArchiveFlags, type KafkaDistribution } from './distribution.ts';

export interface JvmOptions {
  /** `c1` (default) starts fast, for tests; `full` reaches the JVM's full speed after a while, for measurements. */
  readonly jit?: 'c1' | 'full';
  /** Heap size of each broker, MiB. Default 256. */
  readonly heapMiB?: number;
}

const DEFAULT_HEAP_MIB = 256;

/** Returns the JVM's command line, without the settings file. */
export function brokerCommand(
  distribution: KafkaDistribution,
  { jit = 'c1', heapMiB = DEFAULT_HEAP_MIB }: JvmOptions,
): string[] {
  return [
    'java',
    `-Xms${heapMiB}m`,
    `-Xmx${heapMiB}m`,
    '-XX:+UseSerialGC',
    '-XX:+ExitOnOutOfMemoryError',
    '-XX:-UsePerfData',
    ...(jit === 'c1' ? ['-XX:TieredStopAtLevel=1'] : []),
    ...classArchiveFlags(distribution),
    `-Dlog4j2.configurationFile=${distribution.logSettings}`,
    '-Dlog4j2.disableJmx=true',
    '-cp',
    `${distribution.jars}/*`,
    'kafka.Kafka',
  ];
}
