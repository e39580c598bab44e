import { fileURLToPath } from 'node:url';
import { Platform } from '@tidemark/assembly/one-process';
import { DEFAULT_INTAKE_LIMITS, DEFAULT_LANE_TIMING } from '@tidemark/intake';
import { DEFAULT_POINT_LIMITS } from '@tidemark/model';
import { SystemClock } from '@tidemark/node-runtime';
import { DEFAULT_POINT_STORE_LIMITS } from '@tidemark/point-store';
import { isTidemarkError } from '@tidemark/ports';
import type { FromPlatform, PlatformEvent, PlatformSettings, ToPlatform } from './messages.ts';

/**
 * A platform in a process of its own, so that a test can kill it. It is wired as the command line does it; only waits
 * that a test would have to sit through are shorter.
 */
const settings: PlatformSettings = JSON.parse(process.argv[2]);
const platform = await start(settings);

async function start({ folder, ...given }: PlatformSettings): Promise<Platform> {
  try {
    return await Platform.start({
      folder,
      host: given.host ?? '127.0.0.1',
      httpPort: given.httpPort ?? 0,
      grpcPort: given.grpcPort ?? 0,
      partitions: given.partitions ?? 2,
      storeThreads: 1,
      latenessMs: given.latenessMs ?? 300,
      tenantSeries: given.tenantSeries ?? 1_000_000,
      metricSeries: given.metricSeries ?? 1_000_000,
      intake: { ...DEFAULT_INTAKE_LIMITS, ...DEFAULT_POINT_LIMITS, ...given.intake },
      timing: { ...DEFAULT_LANE_TIMING, lingerMs: 10, markMs: 100, openDelayMs: 20, ...given.timing },
      points: { ...DEFAULT_POINT_STORE_LIMITS, ...given.points },
      log: given.log ?? {},
      query: given.query,
      pageFolder: undefined,
      protoFolder: fileURLToPath(new URL('../../proto', import.meta.url)),
      clock: new SystemClock(),
      events: {
        info: (message, detail = {}) => tell({ level: 'info', message, detail }),
        error: (message, detail = {}) => tell({ level: 'error', message, detail }),
        fatal: (error) => {
          tell({ level: 'fatal', message: error.message, detail: {} });
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

process.on('message', (message: ToPlatform) => void receive(message));
// A test that is gone leaves nothing running.
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

function tell(event: PlatformEvent): void {
  send({ type: 'event', event });
}

function send(message: FromPlatform): void {
  process.send?.(message);
}
