import { fileURLToPath } from 'node:url';
import { Platform } from '@tidemark/assembly/one-process';
import { SystemClock } from '@tidemark/node-runtime';
import { isTidemarkError } from '@tidemark/ports';
import { parseSettings, type Settings } from '@tidemark/settings';
import type { FromPlatform, PlatformEvent, PlatformSettings, ToPlatform } from './messages.ts';

/**
 * A platform in a process of its own, so that a test can kill it. It is wired like the command line, but with shorter
 * waits.
 */
const settings: PlatformSettings = JSON.parse(process.argv[2]);
const platform = await start(settings);

async function start({ folder, ...given }: PlatformSettings): Promise<Platform> {
  try {
    return await Platform.start({
      settings: settingsOf(folder, given),
      protoFolder: fileURLToPath(new URL('../../proto', import.meta.url)),
      clock: new SystemClock(),
      events: {
        info: (message, detail = {}) => report({ level: 'info', message, detail }),
        error: (message, detail = {}) => report({ level: 'error', message, detail }),
        fatal: (error) => {
          report({ level: 'fatal', message: error.message, detail: {} });
          process.exit(1);
        },
      },
    });
  } catch (error) {
    if (!isTidemarkError(error)) throw error;
    const { code, message, detail } = error;
    process.send?.({ type: 'refused', code, message, detail } satisfies FromPlatform, () => process.exit(1));
    return new Promise(() => undefined);
  }
}

/** Returns the defaults with shorter waits and the settings of the test, which may be out of range. */
function settingsOf(folder: string, given: Omit<PlatformSettings, 'folder'>): Settings {
  const defaults = parseSettings({});
  return {
    ...defaults,
    data: { folder, partitions: given.partitions ?? 2 },
    listen: { ...defaults.listen, host: given.host ?? '127.0.0.1' },
    http: {
      ...defaults.http,
      port: given.httpPort ?? 0,
      connections: given.connections ?? defaults.http.connections,
      receiveMs: given.receiveMs ?? defaults.http.receiveMs,
    },
    grpc: {
      ...defaults.grpc,
      port: given.grpcPort ?? 0,
      connections: given.connections ?? defaults.grpc.connections,
    },
    completeness: { latenessMs: given.latenessMs ?? 300 },
    budgets: { tenantSeries: given.tenantSeries ?? 1_000_000, metricSeries: given.metricSeries ?? 1_000_000 },
    intake: { ...defaults.intake, ...given.intake },
    point: { ...defaults.point, ...given.intake },
    lane: { ...defaults.lane, lingerMs: 10, markMs: 100, openDelayMs: 20, ...given.timing },
    store: { ...defaults.store, threads: 1, ...given.points },
    log: { ...defaults.log, ...given.log },
    query: { ...defaults.query, ...given.query },
  };
}

process.on('message', (message: ToPlatform) => void receive(message));
// This process must end with the test that started it.
process.on('disconnect', () => process.exit(1));
send({ type: 'ready', httpPort: platform.httpPort, grpcPort: platform.grpcPort });

async function receive(message: ToPlatform): Promise<void> {
  if (message.type === 'append') {
    const writer = await platform.log.writer(message.topic, message.partition);
    const { offset } = await writer.append(0, Buffer.from(message.hex, 'hex'));
    send({ type: 'appended', offset });
  } else {
    await platform.stop();
    process.exit(0);
  }
}

function report(event: PlatformEvent): void {
  send({ type: 'event', event });
}

function send(message: FromPlatform): void {
  process.send?.(message);
}
