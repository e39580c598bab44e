import { readdir, readFile, rm, stat } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join, resolve } from 'node:path';
import { Agent, type AgentOptions, type AgentStatus, agentClientOptions } from '@tidemark/agent';
import { type Client, connect } from '@tidemark/client';
import { hostChecks } from '@tidemark/host-checks';
import { isTidemarkError } from '@tidemark/ports';
import type { EventLog } from '@tidemark/process';
import type { Settings } from '@tidemark/settings';
import { SystemClock } from '@tidemark/system';

const FILES: AgentOptions['files'] = {
  readText: (path) => readFile(path, 'utf8'),
  list: (path) => readdir(path),
  isSocket: (path) =>
    stat(path).then(
      (found) => found.isSocket(),
      () => false,
    ),
  remove: (path) => rm(path, { force: true }),
};

/** The agent of this host, which sends to the platform as any other would: over gRPC. */
export class HostAgent {
  readonly #agent: Agent;
  readonly #client: Client;
  /** Where DogStatsD listens; undefined when its address was taken. */
  readonly dogstatsd: string | undefined;

  private constructor(agent: Agent, client: Client, dogstatsd: string | undefined) {
    this.#agent = agent;
    this.#client = client;
    this.dogstatsd = dogstatsd;
  }

  static async start(settings: Settings, address: string, key: string, log: EventLog): Promise<HostAgent> {
    const { agent: own, data, point } = settings;
    const name = own.hostname === '' ? hostname() : own.hostname;
    const client = await connect({
      name: `agent ${name}`,
      address,
      key,
      spoolFolder: join(resolve(data.folder), 'agent'),
      ...agentClientOptions(own.flushIntervalMs),
      ...clientBounds(own),
    });
    const clock = new SystemClock();
    const open = async (dogstatsd: AgentOptions['dogstatsd']): Promise<Agent> => {
      const agent = new Agent({
        clock,
        client,
        files: FILES,
        hostname: name,
        checks: hostChecks({ clock, files: FILES, platform: process.platform }),
        flushIntervalMs: own.flushIntervalMs,
        checkWaitMs: own.checkWaitMs,
        seriesExpiryMs: own.seriesExpiryMs,
        pendingReadings: own.pendingReadings,
        limits: { ...settings.dogstatsd, point },
        dogstatsd,
        onProblem: (message, detail) => log.warn(detail, message),
      });
      await agent.start();
      return agent;
    };
    try {
      const agent = await open(dogstatsdOf(settings)).catch((error: unknown) => {
        if (!isTidemarkError(error)) throw error;
        log.warn(`${error.message} (--dogstatsd-port). Going on without DogStatsD.`);
        return open(false);
      });
      const { servers } = await agent.freshStatus();
      return new HostAgent(agent, client, servers.map((server) => `${server.transport} ${server.address}`).join(', '));
    } catch (error) {
      await client.close();
      throw error;
    }
  }

  get status(): AgentStatus {
    return this.#agent.status();
  }

  /** Sends what it has, and waits until it has arrived; what has not is in the spool for the next run. */
  async stop(): Promise<void> {
    await this.#agent.stop();
    await this.#client.close();
  }
}

function clientBounds(own: Settings['agent']) {
  const { maxSeries, memoryBytes, spoolBytes, spoolFileBytes, closeTimeoutMs } = own;
  const { giveUpMs, replyTimeoutMs, greetingTimeoutMs, backoffMs, maxBackoffMs, replayStreams } = own;
  return {
    ...{ maxSeries, memoryBytes, spoolBytes, spoolFileBytes, closeTimeoutMs },
    ...{ giveUpMs, replyTimeoutMs, greetingTimeoutMs, backoffMs, maxBackoffMs, replayStreams },
  };
}

function dogstatsdOf({ dogstatsd }: Settings): AgentOptions['dogstatsd'] {
  const { port, streamPath, datagramPath, receiveBufferBytes } = dogstatsd;
  return {
    udp: { port },
    receiveBufferBytes,
    ...(streamPath === '' ? {} : { streamPath }),
    ...(datagramPath === '' ? {} : { datagramPath }),
  };
}
