import { DEFAULT_BODY_ROOM_LIMITS } from '@tidemark/http-intake/limits';
import { DEFAULT_REQUEST_LIMITS } from '@tidemark/intake/limits';
import { DAY_MS } from '@tidemark/model';
import { DEFAULT_REMOTE_WRITE_LIMITS } from '@tidemark/remote-write/limits';
import * as z from 'zod';
import { GIB, KIB, MIB, whole } from '../setting.ts';

const R = DEFAULT_REQUEST_LIMITS;
const H = DEFAULT_BODY_ROOM_LIMITS;
const W = DEFAULT_REMOTE_WRITE_LIMITS;

/** Points that come in HTTP requests. */
export const REQUESTS = z.strictObject({
  gatherMs: whole(R.gatherMs, 'ms', 0, 10_000, "Points of a tenant's requests are gathered for this long…"),
  batchPoints: whole(R.batchPoints, 'points', 1, 262_144, '…or until there are this many…'),
  batchBytes: whole(R.batchBytes, 'bytes', KIB, GIB, '…or they take this much memory.'),
  lingerMs: whole(R.lingerMs, 'ms', 0, 10_000, 'How long a lane may hold them back for a fuller block.'),
  requestPoints: whole(R.requestPoints, 'points', 1, 10_000_000, 'Points of one request.'),
  namedSeries: whole(
    R.namedSeries,
    'series',
    1,
    10_000_000,
    'Series of one request that are not remembered by their bytes, and are looked up by their names.',
  ),
  newSeries: whole(
    R.newSeries,
    'series',
    1,
    10_000_000,
    'New series of one request; one with more is to come again, when the first of them are known.',
  ),
  pendingBytesPerTenant: whole(
    R.pendingBytesPerTenant,
    'bytes',
    KIB,
    64 * GIB,
    "Memory of a tenant's requests without an answer yet; further ones are to come again.",
  ),
  pendingBytes: whole(R.pendingBytes, 'bytes', KIB, 64 * GIB, '…and of all requests.'),
  seriesPerTenant: whole(
    R.seriesPerTenant,
    'series',
    1,
    100_000_000,
    "Series remembered of a tenant's requests; then remembering starts over…",
  ),
  startOverMs: whole(
    R.startOverMs,
    'ms',
    0,
    DAY_MS,
    '…but not sooner than this after the last start; until then new series are refused.',
  ),
  clientSessions: whole(
    R.clientSessions,
    'sessions',
    1,
    1_000_000,
    "Client sessions in the `Idempotency-Key`s of a tenant's requests, within `requests.idleMs`.",
  ),
  idleMs: whole(R.idleMs, 'ms', 1000, 7 * DAY_MS, 'Series of a tenant without a request for this long are forgotten.'),
  bodiesBytes: whole(
    H.bodiesBytes,
    'bytes',
    MIB,
    64 * GIB,
    'Bodies being received or decoded; further requests are to come again.',
  ),
  bodiesBytesPerTenant: whole(H.bodiesBytesPerTenant, 'bytes', MIB, 64 * GIB, '…and those of one tenant.'),
  decodings: whole(H.decodings, 'bodies', 1, 1000, 'Bodies decoded at the same time; the others wait.'),
});

/** Prometheus remote write. */
export const REMOTE_WRITE = z.strictObject({
  bodyBytes: whole(W.bodyBytes, 'bytes', KIB, GIB, "A request's body as it comes, compressed."),
  rawBytes: whole(W.rawBytes, 'bytes', KIB, GIB, '…and uncompressed.'),
  labels: whole(W.labels, 'labels', 1, 10_000, 'Labels of one series, with its name; `point.tags` bounds them too.'),
  rememberedBytes: whole(
    W.rememberedBytes,
    'bytes',
    MIB,
    3 * GIB,
    'Labels remembered of all tenants; when they are more, who has most of them starts over.',
  ),
});
