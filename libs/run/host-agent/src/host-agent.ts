import { join } from 'node:path';
import type { ChannelCredentials } from '@grpc/grpc-js';
import { Agent, type AgentOptions, type AgentStatus, agentClientOptions, closedServer } from '@tidemark/agent';
import type { Check } from '@tidemark/checks';
import { type Client, connect } from '@tidemark/client';
import { hostChecks } from '@tidemark/host-checks';
import { KafkaCheck, type KafkaInstance, RedisCheck } from '@tidemark/integrations';
import { type LoopDelay, LoopMonitor } from '@tidemark/node-runtime';
import { scrapeChecks } from '@tidemark/openmetrics';
import { type Clock, isTidemarkError, type Random } from '@tidemark/ports';
import type { Settings } from '@tidemark/settings';
import { SpoolDamage } from './spool-damage.ts';

export type AgentSettings = Pick<Settings, 'agent' | 'dogstatsd' | 'statsd' | 'point' | 'scrape' | 'integrations'>;

/** The environment of an agent, and the intakes that it sends to. */
export interface HostAgentPlace {
  /** `host:port` of intakes, tried in turn. */
  readonly addresses: readonly string[];
  readonly key?: string;
  /** TLS settings; plain text by default. */
  readonly credentials?: ChannelCredentials;
  /** Where unsettled batches survive a restart. */
  readonly spoolFolder: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly files: AgentOptions['files'];
  /** The hostname of the system; settings may have another. */
  readonly hostname: string;
  /** As `process.platform`. */
  readonly platform: string;
  /** Called with messages for an operator. Must not throw. */
  readonly onProblem: (message: string, detail: Readonly<Record<string, string>>) => void;
}

/** The state of an agent, and the delay of its thread since it collects. */
export interface HostAgentStatus extends AgentStatus {
  readonly loop: LoopDelay;
}

/** The agent of a host, which sends to the platform as any program does: over gRPC, through the client. */
export class HostAgent {
  readonly #agent: Agent;
  readonly #client: Client;
  readonly #loop: LoopMonitor;
  /** Addresses that DogStatsD listens on; empty when they were in use. */
  readonly dogstatsd: string;

  private constructor(agent: Agent, client: Client, dogstatsd: string, loop: LoopMonitor) {
    this.#agent = agent;
    this.#client = client;
    this.#loop = loop;
    this.dogstatsd = dogstatsd;
  }

  /**
   * Starts to collect; the intakes need not be reachable yet. Errors: `invalid_argument` (a wrong target),
   * `failed_precondition` (another agent uses the spool folder), and the errors of the disk. A port of DogStatsD that
   * is in use is reported to `onProblem`, and the agent runs without DogStatsD.
   */
  static async start(settings: AgentSettings, place: HostAgentPlace): Promise<HostAgent> {
    const { agent: own } = settings;
    const name = own.hostname === '' ? place.hostname : own.hostname;
    const checks = checksOf(settings, place);
    const damage = new SpoolDamage(join(place.spoolFolder, 'spool'), place.onProblem);
    let running: Agent | undefined;
    const client = await connect({
      name: `agent ${name}`,
      address: place.addresses,
      key: place.key,
      credentials: place.credentials,
      spoolFolder: place.spoolFolder,
      ...agentClientOptions(own.flushIntervalMs),
      ...clientBounds(own),
      refusals: () => [...(running?.refusals().list ?? []), ...damage.refusals],
      sources: () => running?.sources() ?? [],
      onRejection: (rejection) => damage.rejected(rejection),
      onWarning: ({ reason, field, limit, message }) => {
        // A description comes from what the agent scrapes, not from its settings.
        const setting: Record<string, string> = reason.startsWith('describe_') ? {} : { setting: `agent.${field}` };
        place.onProblem(message, { reason, ...setting, limit });
      },
    });
    damage.opened(client.stats());
    const open = async (
      dogstatsd: AgentOptions['dogstatsd'],
      closedServers: AgentOptions['closedServers'] = [],
    ): Promise<Agent> => {
      const { clock, random, files, onProblem } = place;
      const { flushIntervalMs, checkWaitMs, seriesExpiryMs, pendingReadings, tags } = own;
      const bounds = { flushIntervalMs, checkWaitMs, seriesExpiryMs, pendingReadings };
      const limits = { ...settings.dogstatsd, ...settings.statsd, point: settings.point };
      const agent = new Agent({
        clock,
        random,
        client,
        files,
        hostname: name,
        tags,
        checks,
        limits,
        dogstatsd,
        closedServers,
        onProblem,
        ...bounds,
      });
      await agent.start();
      running = agent;
      return agent;
    };
    try {
      const agent = await open(dogstatsdOf(settings)).catch((error: unknown) => {
        if (!isTidemarkError(error)) throw error;
        place.onProblem(`${error.message} (--dogstatsd-port). Continuing without DogStatsD.`, {});
        // The first server that cannot listen closes all of them.
        const address = `127.0.0.1:${settings.dogstatsd.port}`;
        return open(false, [closedServer('udp', address, error.message)]);
      });
      const { servers } = await agent.freshStatus();
      const listening = servers.filter((server) => server.listening);
      const addresses = listening.map(({ transport, address }) => `${transport} ${address}`).join(', ');
      const loop = new LoopMonitor(place.clock);
      loop.start();
      return new HostAgent(agent, client, addresses, loop);
    } catch (error) {
      await client.close();
      throw error;
    }
  }

  get status(): HostAgentStatus {
    return { ...this.#agent.status(), loop: this.#loop.delay };
  }

  /** Sends all readings and waits for acknowledgements; the spool keeps unacknowledged batches for the next run. */
  async stop(): Promise<void> {
    this.#loop.stop();
    await this.#agent.stop();
    await this.#client.close();
  }
}

function checksOf({ scrape, integrations }: AgentSettings, place: HostAgentPlace): Check[] {
  const { clock, files, platform, onProblem } = place;
  const ports = { clock, readText: (path: string) => files.readText(path), onProblem };
  return [
    ...hostChecks({ clock, files, platform }),
    ...scrapeChecks(scrape.targets, ports),
    ...integrations.redis.map((instance) => new RedisCheck(instance, ports)),
    ...integrations.kafka.map((instance) => new KafkaCheck(kafkaInstance(instance), ports)),
  ];
}

function kafkaInstance(settings: Settings['integrations']['kafka'][number]): KafkaInstance {
  const { saslMechanism: mechanism, saslUser: user, saslPasswordFile: passwordFile, ...rest } = settings;
  return mechanism === 'none' ? rest : { ...rest, sasl: { mechanism, user, passwordFile } };
}

function clientBounds(own: Settings['agent']) {
  const { maxSeries, seriesExpiryMs, memoryBytes, spoolBytes, spoolFileBytes, closeTimeoutMs } = own;
  const { giveUpMs, replyTimeoutMs, greetingTimeoutMs, backoffMs, maxBackoffMs, replayStreams } = own;
  return {
    ...{ maxSeries, seriesExpiryMs, memoryBytes, spoolBytes, spoolFileBytes, closeTimeoutMs },
    ...{ giveUpMs, replyTimeoutMs, greetingTimeoutMs, backoffMs, maxBackoffMs, replayStreams },
  };
}

function dogstatsdOf({ dogstatsd }: AgentSettings): AgentOptions['dogstatsd'] {
  const { port, streamPath, datagramPath, receiveBufferBytes } = dogstatsd;
  return {
    udp: { port },
    receiveBufferBytes,
    ...(streamPath === '' ? {} : { streamPath }),
    ...(datagramPath === '' ? {} : { datagramPath }),
  };
}
