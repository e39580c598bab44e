import { join } from 'node:path';
import {
  explain,
  growHeapsFreely,
  onStopSignal,
  openEventLog,
  readSettings,
  returnFreedHeap,
  settingsCommand,
  shareNoWrappers,
} from '@tidemark/executable';
import { SystemClock, SystemRandom } from '@tidemark/node-runtime';
import { isTidemarkError } from '@tidemark/ports';
import type { Service, ServiceContext } from './service-context.ts';

/** An executable of the cluster, and its environment. */
export interface ServiceProgram {
  /** Name of the executable, such as `intake`. */
  readonly name: string;
  readonly description: string;
  readonly start: (context: ServiceContext) => Promise<Service>;
  /** The process of Node. */
  readonly node: Pick<NodeJS.Process, 'argv' | 'env' | 'pid' | 'stdout' | 'stderr' | 'exit'>;
  readonly readFile: (path: string) => Promise<Buffer>;
  /** Folder of the repository, with the contracts and the page. */
  readonly root: string;
  /** True when the page was built. */
  readonly hasPage?: boolean;
}

/** Runs a process of the cluster from its command line until a stop signal. */
export async function runService(program: ServiceProgram): Promise<void> {
  const { name, description, node, readFile } = program;
  const command = settingsCommand(name, description).showHelpAfterError('(use --help for usage)');
  const readText = async (file: string) => (await readFile(file)).toString('utf8');
  const warn = (line: string) => void node.stderr.write(`${name}: ${line}\n`);
  command.action(async () => {
    const settings = await readSettings(command, { environment: node.env, readText, warn });
    growHeapsFreely();
    returnFreedHeap();
    shareNoWrappers();
    const log = openEventLog(settings.events.level);
    const abort = new AbortController();
    const stopping = onStopSignal(log).then(() => abort.abort());
    const fail = (error: unknown): void => {
      log.fatal(explain(error));
      node.exit(1);
    };
    const clock = new SystemClock();
    const context: ServiceContext = {
      settings,
      clock,
      random: new SystemRandom(),
      events: {
        info: (message, detail = {}) => log.info(detail, message),
        error: (message, detail = {}) => log.error(detail, message),
        fatal: fail,
      },
      name: `${name} ${node.pid}`,
      readFile,
      protoFolder: join(program.root, 'proto'),
      ...(program.hasPage === true ? { pageFolder: join(program.root, 'apps', 'page', 'dist') } : {}),
      stopping: abort.signal,
    };
    const starting = program.start(context);
    const service = await starting.catch((error: unknown) => {
      if (!abort.signal.aborted || !isTidemarkError(error, 'cancelled')) throw error;
      return undefined;
    });
    if (service !== undefined) {
      const http = `http://${settings.listen.host}:${service.httpPort}`;
      node.stdout.write(`${name} is up: gRPC ${settings.listen.host}:${service.grpcPort}, HTTP ${http}\n`);
      await stopping;
      log.info('stopping');
      await service.stop();
    }
    log.info('stopped');
    node.exit(0);
  });
  try {
    await command.parseAsync(node.argv);
  } catch (error) {
    node.stdout.write(`${name}: ${explain(error)}\n`);
    node.exit(1);
  }
}
