import { readFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join, resolve } from 'node:path';
import {
  type EventLog,
  explain,
  growHeapsFreely,
  onStopSignal,
  openEventLog,
  readSettings,
  returnFreedHeap,
  settingsCommand,
} from '@tidemark/executable';
import { HostAgent, type HostAgentPlace, serveStatus } from '@tidemark/host-agent';
import { LOCAL_HOST_FILES, SystemClock, SystemRandom } from '@tidemark/node-runtime';
import { isTidemarkError, TidemarkError } from '@tidemark/ports';
import { channelCredentials } from '@tidemark/server';
import type { Settings } from '@tidemark/settings';

/** Groups of settings that an agent reads. The other groups of a shared file belong to other programs. */
const GROUPS = [
  'data',
  'agent',
  'dogstatsd',
  'scrape',
  'integrations',
  'point',
  'events',
  'listen',
  'cluster',
  'tls',
] as const;

const STATUS_GRACE_MS = 1_000;

async function run(settings: Settings): Promise<void> {
  growHeapsFreely();
  returnFreedHeap();
  const log = openEventLog(settings.events.level);
  const stopping = onStopSignal(log);
  const place = await placeOf(settings, log);
  const agent = await HostAgent.start(settings, place);
  const status = await openStatus(settings, agent, log);
  process.stdout.write(
    [
      'The agent is up.',
      `  sends to   ${place.addresses.join(', ')}`,
      `  DogStatsD  ${agent.dogstatsd || 'not listening'}`,
      `  checks     ${agent.status.checks.map(({ name }) => name).join(', ')}`,
      `  spool      ${place.spoolFolder}`,
      `  status     ${status === undefined ? 'not listening' : `http://${settings.listen.host}:${status.port}/status`}`,
      'Ctrl-C stops it.',
      '',
    ].join('\n'),
  );
  await stopping;
  log.info('stopping');
  await agent.stop();
  await status?.close(STATUS_GRACE_MS);
  const { pendingPoints, indeterminatePoints } = agent.status.client;
  log.info({ unsettled: pendingPoints + indeterminatePoints }, 'stopped');
}

/** Opens the status port. If it is in use, the agent collects without a status page. */
async function openStatus({ agent: own, listen }: Settings, agent: HostAgent, log: EventLog) {
  const { host } = listen;
  const onProblem = (message: string): void => log.info(message);
  const options = { host, port: own.statusPort, clock: new SystemClock(), status: () => agent.status, onProblem };
  return serveStatus(options).catch((error: unknown) => {
    if (!isTidemarkError(error)) throw error;
    log.warn(`${error.message} (--agent-status-port). The agent continues without a status page.`);
    return undefined;
  });
}

async function placeOf(settings: Settings, log: EventLog): Promise<HostAgentPlace> {
  const { agent, data, tls } = settings;
  const key =
    agent.keyFile === '' ? process.env.TIDEMARK_KEY : (await readNamed('agent.keyFile', agent.keyFile)).trim();
  const ca = tls.caFile === '' ? undefined : Buffer.from(await readNamed('tls.caFile', tls.caFile));
  return {
    addresses: addressesOf(settings),
    spoolFolder: resolve(agent.spoolFolder === '' ? join(data.folder, 'agent') : agent.spoolFolder),
    clock: new SystemClock(),
    random: new SystemRandom(),
    files: LOCAL_HOST_FILES,
    hostname: hostname(),
    platform: process.platform,
    onProblem: (message, detail) => log.warn(detail, message),
    ...(key === undefined || key === '' ? {} : { key }),
    ...(ca === undefined ? {} : { credentials: channelCredentials({ ca }) }),
  };
}

function addressesOf({ agent, cluster, grpc }: Settings): readonly string[] {
  if (agent.addresses.length > 0) return agent.addresses;
  return cluster.intakes.length > 0 ? cluster.intakes : [`127.0.0.1:${grpc.port}`];
}

async function readNamed(setting: string, path: string): Promise<string> {
  return readFile(path, 'utf8').catch((error: unknown) => {
    throw new TidemarkError('not_found', `${setting}: cannot read ${path}: ${String(error)}`, { path });
  });
}

/** Runs the agent from its command line, until a stop signal. */
export async function runAgent(): Promise<void> {
  const command = settingsCommand('tidemark-agent', 'collect metrics on this host and send them to a platform', GROUPS);
  const sources = {
    environment: process.env,
    readText: (file: string) => readFile(file, 'utf8'),
    warn: (line: string) => void process.stderr.write(`tidemark-agent: ${line}\n`),
  };
  command.action(async () => run(await readSettings(command, sources)));
  // Timers of the system's clock don't keep a process alive.
  const alive = setInterval(() => undefined, 60_000);
  try {
    await command.parseAsync();
  } catch (error) {
    process.stderr.write(`tidemark-agent: ${explain(error)}\n`);
    process.exit(1);
  } finally {
    clearInterval(alive);
  }
}
