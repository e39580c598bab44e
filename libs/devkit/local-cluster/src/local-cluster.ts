import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePorts, Watchdog } from '@tidemark/child-process';
import { type ServiceKind, type ServicePorts, ServiceProcess } from './service-process.ts';

/** A port on which a process listens. */
export interface ServiceEndpoint {
  readonly name: string;
  readonly protocol: keyof ServicePorts;
  readonly port: number;
}

export interface LocalClusterOptions {
  /** Folder of all data, settings and logs of the processes. */
  readonly folder: string;
  /** Kafka's addresses. */
  readonly brokers: readonly string[];
  readonly partitions: number;
  /** Number of processes of each kind. Every store owns all partitions, so the number of stores is that of replicas. */
  readonly intakes: number;
  readonly pointStores: number;
  readonly tagStores: number;
  readonly aggregators: number;
  readonly queries?: number;
  /** Number of agents of this host. Default 0. */
  readonly agents?: number;
  /** Settings of all processes that differ from the defaults, by group. */
  readonly settings?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  /** Ports by process name; other processes get free ports. */
  readonly ports?: Readonly<Record<string, ServicePorts>>;
  /** Returns the port to advertise for an endpoint, such as that of a link that can be cut. Default: its own. */
  readonly advertise?: (endpoint: ServiceEndpoint) => number | Promise<number>;
  /** Returns the Node flags of a process, by its name: `intake-1`. */
  readonly nodeFlags?: (name: string) => readonly string[];
  /** Changes the command that starts a process, by its name: to limit the process, or to shift its clock. */
  readonly command?: (name: string, command: readonly string[]) => readonly string[];
  readonly startMs?: number;
}

const ROOT = fileURLToPath(new URL('../../../../', import.meta.url));
const DEFAULT_START_MS = 120_000;

/** All processes of a cluster on this machine, with a running Kafka, for development, tests and measurements. */
export class LocalCluster {
  readonly folder: string;
  readonly processes: readonly ServiceProcess[];
  /** File with the settings that all processes share. */
  readonly settingsFile: string;
  readonly #watchdog: Watchdog;
  readonly #startMs: number;
  /** Advertised ports of each process. */
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

  /** Starts all processes and waits until they are ready. Throws `unavailable` with the end of a failed one's log. */
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

  /** Prepares a cluster without starting its processes. */
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
        grpc: await advertise({ name, protocol: 'grpc', port: own.grpc }),
        http: await advertise({ name, protocol: 'http', port: own.http }),
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

  /** Returns the processes of a kind, in order. */
  of(kind: ServiceKind): ServiceProcess[] {
    return this.processes.filter((process) => process.kind === kind);
  }

  /** Returns the advertised address of a process, `host:port`. */
  address({ name }: ServiceProcess, protocol: keyof ServicePorts): string {
    return `127.0.0.1:${this.#advertised.get(name)?.[protocol]}`;
  }

  /** Resolves when every running process is ready. */
  async ready(): Promise<void> {
    await Promise.all(this.processes.filter(({ isRunning }) => isRunning).map((one) => one.ready(this.#startMs)));
  }

  /** Stops every process cleanly, senders before receivers, so that no process waits for another. */
  async stop(): Promise<void> {
    await Promise.all(this.processes.filter(({ kind }) => kind === 'agent').map((one) => one.stop()));
    await Promise.all(this.processes.filter(({ kind }) => kind === 'intake').map((one) => one.stop()));
    await Promise.all(this.processes.map((one) => one.stop()));
    this.#watchdog.close();
  }

  /** Kills every process by SIGKILL. */
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

/** Makes the settings that all processes share; flags add those of one process. */
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
