import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePorts, Watchdog } from '@tidemark/child-process';
import { type ServiceKind, type ServicePorts, ServiceProcess } from './service-process.ts';

/** A place where a process listens. */
export interface ServiceEndpoint {
  readonly name: string;
  readonly door: keyof ServicePorts;
  readonly port: number;
}

export interface LocalClusterOptions {
  /** Folder of all data, settings and logs of the processes. */
  readonly folder: string;
  /** Kafka's addresses. */
  readonly brokers: readonly string[];
  readonly partitions: number;
  /** How many processes of each kind run; every store owns every partition, so their number is that of the replicas. */
  readonly intakes: number;
  readonly pointStores: number;
  readonly tagStores: number;
  readonly aggregators: number;
  readonly queries?: number;
  /** Agents of this host; none when left out. */
  readonly agents?: number;
  /** Settings of all processes that differ from the defaults, in their groups. */
  readonly settings?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  /** Ports by name of process; others get free ones. */
  readonly ports?: Readonly<Record<string, ServicePorts>>;
  /** Answers with the port by which others are to reach an endpoint: a link's, which can be cut. Default: its own. */
  readonly advertise?: (endpoint: ServiceEndpoint) => number | Promise<number>;
  /** Flags of Node for a process, by its name: `intake-1`. */
  readonly nodeFlags?: (name: string) => readonly string[];
  /** The command that starts a process, by its name, from what it is otherwise: to limit it, or to shift its clock. */
  readonly command?: (name: string, command: readonly string[]) => readonly string[];
  readonly startMs?: number;
}

const ROOT = fileURLToPath(new URL('../../../../', import.meta.url));
const DEFAULT_START_MS = 120_000;

/** All processes of a cluster on this machine, over a Kafka that runs: for development, tests and measurements. */
export class LocalCluster {
  readonly folder: string;
  readonly processes: readonly ServiceProcess[];
  /** File with the settings that all processes share. */
  readonly settingsFile: string;
  readonly #watchdog: Watchdog;
  readonly #startMs: number;
  /** Where others reach each process. */
  readonly #advertised: ReadonlyMap<string, ServicePorts>;

  private constructor(
    options: LocalClusterOptions,
    settingsFile: string,
    advertised: ReadonlyMap<string, ServicePorts>,
    processes: readonly ServiceProcess[],
    watchdog: Watchdog,
  ) {
    this.folder = options.folder;
    this.settingsFile = settingsFile;
    this.processes = processes;
    this.#advertised = advertised;
    this.#watchdog = watchdog;
    this.#startMs = options.startMs ?? DEFAULT_START_MS;
  }

  /** Starts everything, and waits until all of it is ready. `unavailable`, with the end of its log, when one is not. */
  static async start(options: LocalClusterOptions): Promise<LocalCluster> {
    const cluster = await LocalCluster.prepare(options);
    try {
      for (const process of cluster.processes) process.spawn();
      await cluster.ready();
      return cluster;
    } catch (error) {
      await cluster.kill();
      throw error;
    }
  }

  /** As `start`, without starting any. */
  static async prepare(options: LocalClusterOptions): Promise<LocalCluster> {
    const members = membersOf(options);
    const free = await freePorts(members.length * 2);
    const ports = new Map<string, ServicePorts>();
    const advertised = new Map<string, ServicePorts>();
    for (const { name } of members) {
      const own = options.ports?.[name] ?? { grpc: free.pop() ?? 0, http: free.pop() ?? 0 };
      ports.set(name, own);
      const { advertise = ({ port }) => port } = options;
      advertised.set(name, {
        grpc: await advertise({ name, door: 'grpc', port: own.grpc }),
        http: await advertise({ name, door: 'http', port: own.http }),
      });
    }
    await mkdir(join(options.folder, 'logs'), { recursive: true });
    const settingsFile = join(options.folder, 'settings.json');
    await writeFile(settingsFile, `${JSON.stringify(settingsOf(options, members, advertised), undefined, 2)}\n`);
    const watchdog = new Watchdog(undefined);
    const processes = members.map(({ kind, name }) => {
      const { grpc, http } = ports.get(name) ?? { grpc: 0, http: 0 };
      const listening = kind === 'agent' ? ['--agent-status-port', http] : ['--grpc-port', grpc, '--http-port', http];
      const flags = ['--settings', settingsFile, ...listening.map(String)];
      const main = join(ROOT, 'apps', kind, 'src', 'main.ts');
      const nodeFlags = ['--no-warnings', ...(options.nodeFlags?.(name) ?? [])];
      const command = [process.execPath, ...nodeFlags, main, ...flags, '--data', join(options.folder, name)];
      return new ServiceProcess({
        kind,
        name,
        command: options.command?.(name, command) ?? command,
        environment: { PATH: process.env.PATH, HOME: process.env.HOME },
        logFile: join(options.folder, 'logs', `${name}.log`),
        ports: { grpc, http },
        watchdog,
      });
    });
    return new LocalCluster(options, settingsFile, advertised, processes, watchdog);
  }

  /** The processes of a kind, in order. */
  of(kind: ServiceKind): ServiceProcess[] {
    return this.processes.filter((process) => process.kind === kind);
  }

  /** `host:port` by which others reach a process. */
  address({ name }: ServiceProcess, door: keyof ServicePorts): string {
    return `127.0.0.1:${this.#advertised.get(name)?.[door]}`;
  }

  /** Resolves once every process that runs is ready. */
  async ready(): Promise<void> {
    await Promise.all(this.processes.filter(({ isRunning }) => isRunning).map((one) => one.ready(this.#startMs)));
  }

  /** Lets every process leave in good order: who sends before who takes, so that nothing is left waiting for another. */
  async stop(): Promise<void> {
    await Promise.all(this.processes.filter(({ kind }) => kind === 'agent').map((one) => one.stop()));
    await Promise.all(this.processes.filter(({ kind }) => kind === 'intake').map((one) => one.stop()));
    await Promise.all(this.processes.map((one) => one.stop()));
    this.#watchdog.close();
  }

  /** kill -9 of every process. */
  async kill(): Promise<void> {
    await Promise.all(this.processes.map((one) => one.kill()));
    this.#watchdog.close();
  }
}

interface Member {
  readonly kind: ServiceKind;
  readonly name: string;
}

function membersOf(options: LocalClusterOptions): Member[] {
  const many = (kind: ServiceKind, count: number): Member[] => {
    return Array.from({ length: count }, (_, i) => ({ kind, name: `${kind}-${i + 1}` }));
  };
  return [
    ...many('coordinator', 1),
    ...many('point-store', options.pointStores),
    ...many('tag-store', options.tagStores),
    ...many('aggregator', options.aggregators),
    ...many('intake', options.intakes),
    ...many('query', options.queries ?? 1),
    ...many('agent', options.agents ?? 0),
  ];
}

/** What all processes read; `flags` add what is a process's own. */
function settingsOf(
  { brokers, partitions, settings = {} }: LocalClusterOptions,
  members: readonly Member[],
  advertised: ReadonlyMap<string, ServicePorts>,
): Readonly<Record<string, Readonly<Record<string, unknown>>>> {
  const addresses = (kind: ServiceKind): string[] =>
    members.filter((member) => member.kind === kind).map(({ name }) => `127.0.0.1:${advertised.get(name)?.grpc}`);
  const all = partitions === 1 ? '0' : `0-${partitions - 1}`;
  const placed = (kind: ServiceKind): string =>
    addresses(kind)
      .map((one) => `${one}=${all}`)
      .join('; ');
  return {
    ...settings,
    data: { ...settings.data, partitions },
    kafka: { ...settings.kafka, brokers: brokers.join(',') },
    cluster: {
      ...settings.cluster,
      coordinator: addresses('coordinator')[0],
      intakes: addresses('intake').join(', '),
      queries: addresses('query').join(', '),
      pointStores: placed('point-store'),
      tagStores: placed('tag-store'),
      aggregators: placed('aggregator'),
      partitions: all,
    },
  };
}
