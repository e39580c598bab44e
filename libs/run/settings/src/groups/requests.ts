import { DEFAULT_BODY_ROOM_LIMITS } from '@tidemark/http-intake/limits';
import { DEFAULT_REQUEST_LIMITS } from '@tidemark/intake/limits';
import { DAY_MS } from '@tidemark/model';
import { DEFAULT_REMOTE_WRITE_LIMITS } from '@tidemark/remote-write/limits';
import * as z from 'zod';
import { GIB, KIB, MIB, whole } from '../setting.ts';

const R = DEFAULT_REQUEST_LIMITS;
const H = DEFAULT_BODY_ROOM_LIMITS;
const W = DEFAULT_REMOTE_WRITE_LIMITS;

/** Points that arrive in HTTP requests. */
export const REQUESTS = z.strictObject({
  gatherMs: whole(
    R.gatherMs,
    'ms',
    0,
    10_000,
    "How long points of a tenant's requests wait at most until earlier ones are stored, to go to the log together.",
  ),
  batchPoints: whole(
    R.batchPoints,
    'points',
    1,
    262_144,
    "A batch of points of a tenant's requests is complete at this many points, or at 65,536 if that is less. A request with a key may have as many points.",
  ),
  batchBytes: whole(
    R.batchBytes,
    'bytes',
    KIB,
    GIB,
    "A batch of points of a tenant's requests is complete at this much memory.",
  ),
  requestPoints: whole(R.requestPoints, 'points', 1, 10_000_000, 'Points of one request.'),
  namedSeries: whole(
    R.namedSeries,
    'series',
    1,
    10_000_000,
    'Series of one request that are looked up by name, because their bytes are not in the cache.',
  ),
  newSeries: whole(
    R.newSeries,
    'series',
    1,
    10_000_000,
    'New series per request. A larger request gets 503; its retry finds the first series registered.',
  ),
  pendingBytesPerTenant: whole(
    R.pendingBytesPerTenant,
    'bytes',
    KIB,
    64 * GIB,
    "Memory of a tenant's unanswered requests. Requests above this must be retried.",
  ),
  pendingBytes: whole(
    R.pendingBytes,
    'bytes',
    KIB,
    64 * GIB,
    'Memory of all unanswered requests. Requests above this must be retried.',
  ),
  seriesPerTenant: whole(
    R.seriesPerTenant,
    'series',
    1,
    100_000_000,
    "Series of a tenant's requests in the cache. A full cache is cleared, at most once per `requests.startOverMs`.",
  ),
  startOverMs: whole(
    R.startOverMs,
    'ms',
    0,
    DAY_MS,
    "Minimum age of a tenant's cache of series when it is cleared; a full cache that is younger refuses new series.",
  ),
  clientSessions: whole(
    R.clientSessions,
    'sessions',
    1,
    1_000_000,
    "Client sessions in the `Idempotency-Key`s of a tenant's requests, within `requests.idleMs`.",
  ),
  idleMs: whole(
    R.idleMs,
    'ms',
    1000,
    7 * DAY_MS,
    'The series of a tenant that sends no request for this long are evicted from the cache.',
  ),
  bodiesBytes: whole(
    H.bodiesBytes,
    'bytes',
    MIB,
    64 * GIB,
    'Request bodies that are being received or decoded. Requests above this must be retried.',
  ),
  bodiesBytesPerTenant: whole(
    H.bodiesBytesPerTenant,
    'bytes',
    MIB,
    64 * GIB,
    'Request bodies of one tenant that are being received or decoded. Requests above this must be retried.',
  ),
  decodings: whole(
    H.decodings,
    'bodies',
    1,
    1000,
    'Request bodies that are decoded at the same time, half of them of one tenant; other bodies wait.',
  ),
});

/** Prometheus remote write. */
export const REMOTE_WRITE = z.strictObject({
  bodyBytes: whole(W.bodyBytes, 'bytes', KIB, GIB, "A request's body as received, compressed."),
  rawBytes: whole(W.rawBytes, 'bytes', KIB, GIB, "A request's body, uncompressed."),
  labels: whole(W.labels, 'labels', 1, 10_000, 'Labels of one series, with its name; `point.tags` also applies.'),
  rememberedBytes: whole(
    W.rememberedBytes,
    'bytes',
    MIB,
    3 * GIB,
    'Cached labels of all tenants; when there are more, the labels of the tenant with the most are cleared.',
  ),
});
