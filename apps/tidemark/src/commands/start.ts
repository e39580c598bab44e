import { readFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join, resolve } from 'node:path';
import { DEFAULT_TENANT } from '@tidemark/access';
import { Platform } from '@tidemark/assembly/one-process';
import {
  type EventLog,
  explain,
  growHeapsFreely,
  onStopSignal,
  openEventLog,
  readSettings,
  returnFreedHeap,
  settingsCommand,
  shareNoWrappers,
} from '@tidemark/executable';
import type { Events } from '@tidemark/ports';
import type { Settings } from '@tidemark/settings';
import type { Command } from 'commander';
import { AgentThread } from '../agent-thread.ts';
import { localPlatformContext } from '../local-platform-context.ts';

export function startCommand(): Command {
  const command = settingsCommand('start', 'start the platform and the agent of this host');
  const sources = {
    environment: process.env,
    readText: (file: string) => readFile(file, 'utf8'),
    warn: (line: string) => void process.stderr.write(`tidemark: ${line}\n`),
  };
  return command.action(async () => start(await readSettings(command, sources)));
}

async function start(settings: Settings): Promise<void> {
  growHeapsFreely();
  returnFreedHeap();
  shareNoWrappers();
  const log = openEventLog(settings.events.level);
  const stopping = onStopSignal(log);
  let agent: AgentThread | undefined;
  const events: Events = {
    info: (message, detail = {}) => log.info(detail, message),
    error: (message, detail = {}) => log.error(detail, message),
    fatal: (error) => {
      log.fatal(`${explain(error)}\nThe platform cannot continue. Restart it; acknowledged data is not lost.`);
      process.exit(1);
    },
  };
  const context = localPlatformContext(settings, events);
  const platform = await Platform.start({
    ...context,
    // The agent sends as the default tenant, so its lines, checks and sockets are that tenant's.
    statusExtra: (tenant) => (agent?.status === undefined || tenant !== DEFAULT_TENANT ? {} : { agent: agent.status }),
    // An open page sends a request each second: its requests are logged at level debug only.
    requestLog: log.child({}, { level: log.isLevelEnabled('debug') ? 'info' : 'error' }),
  });
  if (settings.agent.enabled) agent = await startAgent(settings, platform, log);
  platform.health.watchThreads(() => (agent?.status === undefined ? [] : [{ thread: 'agent', ...agent.status.loop }]));
  platform.health.watchMemory(() =>
    agent === undefined || agent.memory.length === 0 ? [] : [{ holder: 'agent', parts: [...agent.memory] }],
  );
  greet(settings, platform, context.pageFolder !== undefined, agent);
  await stopping;
  log.info('stopping');
  await agent?.stop();
  await platform.stop();
  log.info('stopped');
}

async function startAgent(settings: Settings, platform: Platform, log: EventLog): Promise<AgentThread> {
  try {
    const { agent, dogstatsd, statsd, point, scrape, integrations } = settings;
    return await AgentThread.start({
      settings: { agent, dogstatsd, statsd, point, scrape, integrations },
      place: {
        addresses: [`127.0.0.1:${platform.grpcPort}`],
        key: platform.agentKey,
        spoolFolder: join(resolve(settings.data.folder), 'agent'),
        hostname: hostname(),
        platform: process.platform,
      },
      onProblem: (message, detail) => log.warn(detail, message),
      onFailed: (error) => log.error(`the agent of this host ended: ${explain(error)}; restart to collect again`),
    });
  } catch (error) {
    await platform.stop();
    throw error;
  }
}

function greet(settings: Settings, platform: Platform, hasPage: boolean, agent: AgentThread | undefined): void {
  const { listen, data } = settings;
  process.stdout.write(
    [
      'Tidemark is up.',
      `  ${hasPage ? 'page    ' : 'HTTP API'}   http://${hostOfUrl(listen.host)}:${platform.httpPort}`,
      `  gRPC       ${hostOfUrl(listen.host)}:${platform.grpcPort}`,
      `  DogStatsD  ${agent?.dogstatsd || 'not listening'}`,
      `  data       ${resolve(data.folder)}`,
      'Ctrl-C stops it.',
      '',
    ].join('\n'),
  );
}

function hostOfUrl(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}
