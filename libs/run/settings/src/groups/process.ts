import { DEFAULT_HTTP_API_LIMITS } from '@tidemark/http-api/limits';
import { DAY_MS } from '@tidemark/model';
import * as z from 'zod';
import { choice, GIB, KIB, MIB, text, whole, yesOrNo } from '../setting.ts';

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
