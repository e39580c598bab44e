import { type Client, type ClientRejection, connect } from '@tidemark/client';
import type { MetricReply } from '@tidemark/contract';
import { printable } from '@tidemark/model/safe-text';
import { TIDEMARK_COMMAND } from '@tidemark/model/tidemark-command';
import { isTidemarkError, limitError, TidemarkError } from '@tidemark/ports';
import { Command, Option } from 'commander';
import { endpointsOf, type RemoteOptions } from '../endpoints.ts';
import { parseTime } from '../parse-time.ts';
import { print, printError, time } from '../printable.ts';
import { withAdvice, withPlatform, withRemote } from '../remote.ts';
import { type KnownKind, kindToSend, type SentKind, warningOf } from '../sent-kind.ts';

interface SendOptions extends RemoteOptions {
  readonly kind?: Exclude<SentKind, 'reading'>;
  /** Given as `--tag` or `--tags`. */
  readonly tags: readonly string[];
  readonly timestamp: string;
  readonly timeout: string;
}

/** Codes that a retry cannot change. */
const FINAL: ReadonlySet<string> = new Set(['unauthenticated', 'permission_denied', 'invalid_argument']);

export function sendCommand(): Command {
  return withRemote(new Command('send'))
    .description('send one point and wait until it is durable')
    .argument('<metric>', 'name of the metric')
    .argument('<value>', 'a number')
    .addOption(
      new Option('--kind <kind>', 'kind of the metric (default: what is known of it; gauge for a new metric)').choices([
        ...['gauge', 'count', 'counter', 'distribution'],
      ]),
    )
    .addOption(
      new Option('--tag, --tags <key:value...>', 'tags of the point; may be repeated')
        .argParser((tag: string, before: readonly string[]) => [...before, tag])
        .default([], 'none'),
    )
    .option('--timestamp <time>', 'timestamp of the point: -15m, seconds since 1970, or ISO 8601', 'now')
    .option('--timeout <seconds>', 'max time to wait for the acknowledgement', '15')
    .action((metric: string, value: string, options: SendOptions) => send(metric, value, options));
}

async function send(metric: string, text: string, options: SendOptions): Promise<void> {
  const value = text.trim() === '' ? Number.NaN : Number(text);
  if (Number.isNaN(value) && text !== 'NaN') {
    throw limitError('value', printable(text), 'a number');
  }
  const { key, tags } = options;
  const { intakes, credentials } = await endpointsOf(options);
  const timeoutMs = Number(options.timeout) * 1000;
  if (!(timeoutMs > 0)) throw limitError('--timeout', options.timeout, 'above 0 s');
  const known = await knownKind(metric, options);
  const kind = kindToSend(options.kind, known);
  const nowMs = Date.now();
  const atMs = parseTime(options.timestamp, nowMs);
  const rejections: ClientRejection[] = [];
  const client = await connect({
    name: 'tidemark send',
    address: intakes,
    credentials,
    ...(key === undefined ? {} : { key }),
    flushIntervalMs: 0,
    frontierLagMs: Math.max(0, nowMs - atMs),
    closeTimeoutMs: 100,
    onRejection: (rejection) => rejections.push(rejection),
  });
  if (kind === 'reading') await recordReading(client, metric, value, tags, atMs);
  else client[kind](metric, value, tags, atMs);
  client.flush();
  await settled(client, timeoutMs);
  const { lastError } = client;
  const { ackedPoints, rejectedPoints } = client.stats();
  const refused = rejections.map(({ message }) => printable(message));
  await client.close();
  if (refused.length > 0) throw new TidemarkError('invalid_argument', `point rejected: ${refused.join('; ')}`);
  if (ackedPoints > 0 && rejectedPoints === 0) {
    const scope = tags.length === 0 ? '' : ` {${printable(tags.join(','))}}`;
    print(`acknowledged: ${kind} ${printable(metric)} ${value}${scope} at ${time(atMs)}`);
    const warning = warningOf(metric, options.kind, known);
    if (warning !== undefined) printError(warning);
    return;
  }
  if (lastError !== undefined) throw withAdvice(lastError, intakes.join(', '));
  const message = `no acknowledgement within ${options.timeout} s; the point may or may not be stored`;
  throw new TidemarkError('deadline_exceeded', `${message}.\nRun ${TIDEMARK_COMMAND} status to see why.`);
}

/** What the platform knows of the metric; why it can't be looked up, such as with a key that only permits to send. */
async function knownKind(metric: string, options: RemoteOptions): Promise<KnownKind> {
  try {
    let reply: MetricReply | undefined;
    await withPlatform(options, async (remote) => {
      reply = await remote.call(remote.query, remote.query.metric, { metric });
    });
    return { description: reply?.description };
  } catch (error) {
    if (!isTidemarkError(error)) throw error;
    return error.code === 'not_found' ? {} : { problem: error.message.split('\n')[0] };
  }
}

async function recordReading(client: Client, metric: string, value: number, tags: readonly string[], atMs: number) {
  try {
    client.series(metric, 'reading', tags).record(value, atMs);
  } catch (error) {
    await client.close();
    throw error;
  }
}

/** Waits for the acknowledgement, a final error, or the timeout. */
async function settled(client: Client, timeoutMs: number): Promise<void> {
  const giveUp = new Promise<void>((resolve) => {
    const endMs = Date.now() + timeoutMs;
    const timer = setInterval(() => {
      const isFinal = client.lastError !== undefined && FINAL.has(client.lastError.code);
      if (!isFinal && Date.now() < endMs) return;
      clearInterval(timer);
      resolve();
    }, 20);
    void client.settled().then(() => clearInterval(timer));
  });
  await Promise.race([client.settled(), giveUp]);
}
