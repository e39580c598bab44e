import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { Platform, type PlatformEvents } from '@tidemark/platform';
import { TidemarkError } from '@tidemark/ports';
import { parseSettings, SETTINGS, type Settings } from '@tidemark/settings';
import { Command, Option } from 'commander';
import { type EventLog, openEventLog } from '../event-log.ts';
import { explain } from '../failure.ts';
import { HostAgent } from '../host-agent.ts';
import { platformOptions } from '../platform-of-settings.ts';
import { onStopSignal } from '../stop-signal.ts';
import { watchHealth } from '../watch-health.ts';

const HELP = `
Every other setting has a flag too, such as --query-points or --store-threads: docs/settings.md lists them.
Each is also an environment variable (TIDEMARK_HTTP_PORT for --http-port), or a line of the --settings file.

Ctrl-C stops cleanly, a second one at once; either way nothing that was acknowledged is lost.`;

export function startCommand(): Command {
  const command = new Command('start').description('start the platform and the agent of this host');
  for (const { flag, kind, description, default: value, isMain } of SETTINGS) {
    const option = new Option(kind === 'boolean' ? `--${flag}` : `--${flag} <value>`);
    option.description = kind === 'boolean' ? `Do without: ${description}` : `${description} (default: ${value})`;
    command.addOption(option.hideHelp(isMain !== true));
  }
  return command
    .option('--settings <file>', 'JSON file of settings')
    .addHelpText('after', HELP)
    .action(async () => start(await readSettings(command)));
}

async function readSettings(command: Command): Promise<Settings> {
  const flags: Record<string, string | true> = {};
  for (const option of command.options) {
    const { long, negate } = option;
    if (long === undefined || long === '--settings') continue;
    const name = option.attributeName();
    if (command.getOptionValueSource(name) !== 'cli') continue;
    flags[long.slice(2)] = negate ? true : command.getOptionValue(name);
  }
  const file: string | undefined = command.getOptionValue('settings') ?? process.env.TIDEMARK_SETTINGS;
  if (file === undefined) return parseSettings({ flags, environment: process.env });
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    throw new TidemarkError('not_found', `can't read the settings file ${file}: ${String(error)}`);
  });
  return parseSettings({ flags, environment: process.env, file: { name: file, text } });
}

async function start(settings: Settings): Promise<void> {
  const log = openEventLog(settings.events.level);
  const stopping = onStopSignal(log);
  let agent: HostAgent | undefined;
  log.info({ data: resolve(settings.data.folder) }, 'starting');
  const events: PlatformEvents = {
    info: (message, detail = {}) => log.info(detail, message),
    error: (message, detail = {}) => log.error(detail, message),
    fatal: (error) => {
      log.fatal(`${explain(error)}\nThe platform can't go on. Start it again: nothing that was acknowledged is lost.`);
      process.exit(1);
    },
  };
  const options = platformOptions(settings, events);
  const platform = await Platform.start({
    ...options,
    statusExtra: () => (agent === undefined ? {} : { agent: agent.status }),
    // A page that is open asks every second: its requests are for those who debug.
    requestLog: log.child({}, { level: log.isLevelEnabled('debug') ? 'info' : 'error' }),
  });
  if (settings.agent.enabled) agent = await startAgent(settings, platform, log);
  greet(settings, platform, options.pageFolder !== undefined, agent);
  const unwatch = watchHealth(platform, options.folder, log);
  await stopping;
  unwatch();
  log.info('stopping');
  await agent?.stop();
  await platform.stop();
  log.info('stopped');
}

async function startAgent(settings: Settings, platform: Platform, log: EventLog): Promise<HostAgent> {
  try {
    return await HostAgent.start(settings, `127.0.0.1:${platform.grpcPort}`, platform.agentKey, log);
  } catch (error) {
    await platform.stop();
    throw error;
  }
}

function greet(settings: Settings, platform: Platform, hasPage: boolean, agent: HostAgent | undefined): void {
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
