import { DEFAULT_HTTP_API_LIMITS } from '@tidemark/http-api/limits';
import { DAY_MS } from '@tidemark/model';
import * as z from 'zod';
import { choice, GIB, KIB, MIB, text, whole, yesOrNo } from '../setting.ts';

const H = DEFAULT_HTTP_API_LIMITS;

/** The data folder. */
export const DATA = z.strictObject({
  folder: text(
    './data',
    4096,
    'Folder of all data; it is created if it does not exist, and only one process can use it at a time.',
    {
      flag: 'data',
      isMain: true,
    },
  ),
  partitions: whole(4, 'partitions', 1, 256, 'Partitions of a new data folder; an existing folder keeps its number.'),
});

/** Addresses that the process listens on. */
export const LISTEN = z.strictObject({
  host: text(
    '127.0.0.1',
    255,
    'Address to listen on; 127.0.0.1 and 0.0.0.0 include ::1. Create a key before using an address other than loopback.',
    {
      flag: 'host',
      isMain: true,
    },
  ),
  loopbackNeedsKey: yesOrNo(
    false,
    'Callers on loopback need a key too. Required behind a proxy on this machine, because all its callers are on loopback.',
  ),
});

export const HTTP = z.strictObject({
  port: whole(4270, 'port', 0, 65_535, 'Port of the page and the HTTP API; 0: any free port.', { isMain: true }),
  healthPort: whole(
    -1,
    'port',
    -1,
    65_535,
    'Port on which only `/healthz` and `/readyz` are answered, with connections of its own; 0: any free port; -1: none.',
  ),
  bodyBytes: whole(H.bodyBytes, 'bytes', KIB, GIB, "A request's body."),
  urlBytes: whole(H.urlBytes, 'bytes', KIB, MIB, "A request's URL; send longer queries in a body."),
  receiveMs: whole(H.receiveMs, 'ms', 100, 3_600_000, 'How long a request may take to arrive.'),
  connections: whole(
    H.connections,
    'connections',
    2,
    1_000_000,
    'Open connections; a fourth is for callers that have not shown a key, and tenants share the others.',
  ),
  described: whole(H.described, 'names', 1, 1_000_000, 'Metrics, or values of a tag key, in one response.'),
});

export const GRPC = z.strictObject({
  port: whole(4271, 'port', 0, 65_535, 'Port of gRPC: intake, queries, control; 0: any free port.', { isMain: true }),
  connections: whole(
    4000,
    'connections',
    2,
    1_000_000,
    'Open connections; a fourth is for callers that have not shown a key, and tenants share the others.',
  ),
  connectionStreams: whole(1000, 'streams', 1, 1_000_000, 'Concurrent calls and streams of one connection.'),
  sendBytes: whole(64 * MIB, 'bytes', MIB, GIB, 'Size of one response.'),
});

/** The log of the process. */
export const EVENTS = z.strictObject({
  level: choice('info', ['fatal', 'error', 'warn', 'info', 'debug', 'silent'], 'Minimum level that is logged.', {
    flag: 'log-level',
    isMain: true,
  }),
});

/** Budgets of tenants and metrics. */
export const BUDGETS = z.strictObject({
  tenantSeries: whole(1_000_000, 'series', 1, 1e9, 'Series of one tenant; above this, intakes refuse new series.'),
  metricSeries: whole(200_000, 'series', 1, 1e9, 'Series of one metric; above this, intakes refuse new series.'),
});

/** The bound that `complete_through` is computed from. */
export const COMPLETENESS = z.strictObject({
  latenessMs: whole(
    3000,
    'ms',
    0,
    DAY_MS,
    'D: how long after its timestamp a point may take to reach an intake. It must cover flush interval, transit and clock skew.',
  ),
});
