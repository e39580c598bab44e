import { DEFAULT_CLIENT_OPTIONS } from '@tidemark/client';
import { DEFAULT_HTTP_API_LIMITS } from '@tidemark/http-api';
import * as z from 'zod';
import { choice, DAY_MS, GIB, KIB, MIB, text, whole, yesOrNo } from '../setting.ts';

const C = DEFAULT_CLIENT_OPTIONS;
const H = DEFAULT_HTTP_API_LIMITS;

/** Where the data is. */
export const DATA = z.strictObject({
  folder: text('./data', 4096, 'Folder of all data; made where it does not exist, used by one process at a time.', {
    flag: 'data',
    isMain: true,
  }),
  partitions: whole(4, 'partitions', 1, 256, 'Partitions of a new data folder; one that exists keeps its own number.'),
});

/** Where it listens. */
export const LISTEN = z.strictObject({
  host: text('127.0.0.1', 255, 'Address to listen on. Any other than loopback needs a key to exist first.', {
    flag: 'host',
    isMain: true,
  }),
  loopbackNeedsKey: yesOrNo(
    false,
    'Callers on loopback need a key too. A must behind a proxy of this machine: through it everybody is on loopback.',
  ),
});

export const HTTP = z.strictObject({
  port: whole(4270, 'port', 0, 65_535, 'Port of the page and the HTTP API; 0 takes a free one.', { isMain: true }),
  bodyBytes: whole(H.bodyBytes, 'bytes', KIB, GIB, "A request's body."),
  urlBytes: whole(H.urlBytes, 'bytes', KIB, MIB, "A request's URL; longer queries go into a body."),
  receiveMs: whole(H.receiveMs, 'ms', 100, 3_600_000, 'How long a request may take to arrive.'),
  connections: whole(H.connections, 'connections', 1, 1_000_000, 'Connections at the same time.'),
  described: whole(H.described, 'names', 1, 1_000_000, 'Metrics, or values of a tag key, in one answer.'),
});

export const GRPC = z.strictObject({
  port: whole(4271, 'port', 0, 65_535, 'Port of gRPC: intake, queries, control; 0 takes a free one.', { isMain: true }),
  connectionStreams: whole(1000, 'streams', 1, 1_000_000, 'Calls and streams of one connection at the same time.'),
  sendBytes: whole(64 * MIB, 'bytes', MIB, GIB, 'One answer.'),
});

/** The agent inside of the process. */
export const AGENT = z.strictObject({
  enabled: yesOrNo(true, 'Collects metrics of this host and DogStatsD.', {
    flag: 'no-agent',
    isNegated: true,
    isMain: true,
  }),
  hostname: text('', 255, 'Tag `host:` of the series of this host; empty: the name that the system gives.'),
  flushIntervalMs: whole(1000, 'ms', 100, 60_000, 'How often the agent sends.'),
  checkWaitMs: whole(250, 'ms', 1, 10_000, 'How long a flush waits for checks; slower ones go out with the next.'),
  seriesExpiryMs: whole(300_000, 'ms', 1000, DAY_MS, 'A series not seen for this long is forgotten.'),
  pendingReadings: whole(100_000, 'readings', 100, 10_000_000, 'Readings of checks that wait for a flush.'),
  maxSeries: whole(1_000_000, 'series', 100, 100_000_000, 'Series that the agent may use.'),
  memoryBytes: whole(64 * MIB, 'bytes', MIB, 16 * GIB, 'Unsettled batches in memory.'),
  spoolBytes: whole(GIB, 'bytes', MIB, 1024 * GIB, 'Unsettled batches on disk; beyond, the oldest are given up.'),
  spoolFileBytes: whole(8 * MIB, 'bytes', 64 * KIB, GIB, 'A spool file is followed by the next at this size.'),
  giveUpMs: whole(
    C.giveUpMs,
    'ms',
    1000,
    6 * DAY_MS,
    'A batch sent and not acknowledged for this long is given up as indeterminate.',
  ),
  replyTimeoutMs: whole(C.replyTimeoutMs, 'ms', 100, 3_600_000, 'A batch without an answer is sent again after this.'),
  greetingTimeoutMs: whole(
    C.greetingTimeoutMs,
    'ms',
    100,
    600_000,
    'A stream that is not greeted within this is abandoned.',
  ),
  backoffMs: whole(C.backoffMs, 'ms', 1, 60_000, 'First pause before a new try; it doubles, with jitter.'),
  maxBackoffMs: whole(C.maxBackoffMs, 'ms', 1, 3_600_000, 'Longest such pause.'),
  replayStreams: whole(C.replayStreams, 'streams', 1, 1000, 'Sessions of earlier runs replayed at the same time.'),
  closeTimeoutMs: whole(
    2000,
    'ms',
    0,
    600_000,
    'How long a stop waits for acknowledgements; the spool keeps the rest.',
  ),
});

/** What the process says of itself. */
export const EVENTS = z.strictObject({
  level: choice('info', ['fatal', 'error', 'warn', 'info', 'debug', 'silent'], 'Least level that is logged.', {
    flag: 'log-level',
    isMain: true,
  }),
});

/** What a tenant may have. */
export const BUDGETS = z.strictObject({
  tenantSeries: whole(1_000_000, 'series', 1, 1e9, 'Series of one tenant; beyond, intakes refuse new ones.'),
  metricSeries: whole(200_000, 'series', 1, 1e9, 'Series of one metric; beyond, intakes refuse new ones.'),
});

/** What `complete_through` stands on. */
export const COMPLETENESS = z.strictObject({
  latenessMs: whole(
    3000,
    'ms',
    0,
    DAY_MS,
    'D: how long after its timestamp a point may take to reach an intake. Flush interval, transit and clock skew have to fit in.',
  ),
});
