import { DAY_MS } from '@tidemark/model';
import { DEFAULT_S3_LIMITS } from '@tidemark/s3-objects/options';
import * as z from 'zod';
import { choice, GIB, MIB, text, whole, yesOrNo } from '../setting.ts';

const S = DEFAULT_S3_LIMITS;
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/** The object store, which keeps what must outlive a machine. */
export const OBJECTS = z.strictObject({
  store: choice(
    'none',
    ['none', 'folder', 's3'],
    'Where objects are kept: nowhere, in a folder of this machine, or in a bucket with the API of S3.',
  ),
  folder: text(
    '',
    4096,
    'Folder of the objects, on another disk than `data.folder`; empty: `objects` in `data.folder`.',
  ),
  bucket: text('', 255, 'The bucket; it must exist.'),
  prefix: text('', 512, 'Beginning of all names in the bucket, ending in `/`, so that deployments can share it.'),
  endpoint: text('', 1024, "`https://HOST:PORT` of a server that is not Amazon's; empty: that of the region."),
  region: text(
    '',
    64,
    'Region of the bucket; empty: `AWS_REGION` or the profile, with `objects.endpoint` `us-east-1`.',
  ),
  pathStyle: choice(
    'auto',
    ['auto', 'true', 'false'],
    'Whether the bucket is in the path instead of the host name; auto: with `objects.endpoint`.',
  ),
  encryption: choice(
    'bucket',
    ['bucket', 'AES256', 'aws:kms'],
    'Encryption at rest; bucket: as the bucket is configured.',
  ),
  kmsKeyId: text('', 2048, 'Key for `aws:kms`; empty: that of the bucket.'),
  storageClass: text('', 64, 'Class of new objects, such as `STANDARD_IA`, not an archive; empty: that of the bucket.'),
  checksums: yesOrNo(true, 'The server has the headers `x-amz-checksum-*`.'),
  attempts: whole(S.attempts, 'attempts', 1, 20, 'Attempts of one request to the server.'),
  connectMs: whole(S.connectMs, 'ms', 100, 60_000, 'How long a connection may take.'),
  requestMs: whole(S.requestMs, 'ms', 100, 600_000, 'Longest wait for an answer of the server, or for its next bytes.'),
  operationMs: whole(S.operationMs, 'ms', 1000, HOUR_MS, 'How long a request may take with all its attempts.'),
  connections: whole(S.connections, 'connections', 1, 1000, 'Connections to the server.'),
  partBytes: whole(
    S.partBytes,
    'bytes',
    5 * MIB,
    GIB,
    'Part of a large object, which is the memory that writing it takes.',
  ),
});

/** Snapshots of the stores' databases in the object store. */
export const SNAPSHOT = z.strictObject({
  intervalMs: whole(
    HOUR_MS,
    'ms',
    0,
    7 * DAY_MS,
    'How often the databases of each partition are copied to the object store; what it has is not copied again. 0: never, and lost databases are still restored.',
  ),
  keep: whole(2, 'snapshots', 1, 10_000, 'Newest snapshots of a partition that are kept however old they are.'),
  keepMs: whole(DAY_MS, 'ms', 0, 3650 * DAY_MS, 'Snapshots that are younger are kept.'),
});

/** Closed days of points in the object store. */
export const ARCHIVE = z.strictObject({
  intervalMs: whole(
    10 * MINUTE_MS,
    'ms',
    0,
    7 * DAY_MS,
    'How often a point store looks for days that have closed, and archives them in the object store. 0: never.',
  ),
  retentionMs: whole(
    0,
    'ms',
    0,
    36_500 * DAY_MS,
    'Archived days that ended so long before the newest closed day are deleted; at least `store.retentionMs`. 0: permanently.',
  ),
});
