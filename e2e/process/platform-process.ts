import { fileURLToPath } from 'node:url';
import { Platform } from '@tidemark/assembly/one-process';
import { SystemClock } from '@tidemark/node-runtime';
import { isTidemarkError } from '@tidemark/ports';
import type { FromPlatform, PlatformEvent, PlatformSettings, ToPlatform } from './messages.ts';
import { settingsOf } from './platform-settings.ts';

/**
 * A platform in a process of its own, so that a test can kill it. It is wired like the command line, but with shorter
 * waits.
 */
const settings: PlatformSettings = JSON.parse(process.argv[2]);
const platform = await start(settings);

async function start(given: PlatformSettings): Promise<Platform> {
  try {
    return await Platform.start({
      settings: settingsOf(given),
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
