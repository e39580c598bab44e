import { type ErrorCode, TidemarkError } from '@tidemark/ports';

/** The operation that failed, for messages. */
export interface Asked {
  readonly what: 'put' | 'read' | 'list' | 'delete' | 'check';
  /** Key of the object, or prefix of the list. */
  readonly key: string;
  /** The condition of a put or of a read: which error a 412 is. */
  readonly condition?: 'absent' | 'version';
}

export interface Place {
  readonly bucket: string;
  readonly prefix: string;
  readonly endpoint: string;
}

interface Meaning {
  readonly code: ErrorCode;
  readonly text: string;
}

const DENIED = 'permission_denied';
const SETTINGS = 'failed_precondition';
const PASSING = 'unavailable';

const UNKNOWN_KEY: Meaning = {
  code: DENIED,
  text: 'the server does not know the access key; correct the credentials',
};

/** Meanings by the name of the error; what is not here has the meaning of its status. */
const MEANINGS: Readonly<Record<string, Meaning>> = {
  NoSuchKey: { code: 'not_found', text: 'it does not exist' },
  NotFound: { code: 'not_found', text: 'it does not exist' },
  NoSuchBucket: { code: SETTINGS, text: 'the bucket does not exist; create it, or correct bucket and endpoint' },
  PermanentRedirect: { code: SETTINGS, text: 'the bucket is in another region; correct the region' },
  AuthorizationHeaderMalformed: { code: SETTINGS, text: 'the bucket is in another region; correct the region' },
  IllegalLocationConstraintException: { code: SETTINGS, text: 'the bucket is in another region; correct the region' },
  InvalidStorageClass: { code: SETTINGS, text: 'the server does not have this storage class' },
  InvalidObjectState: { code: SETTINGS, text: 'the object is in an archive; restore it to a class that can be read' },
  NotImplemented: {
    code: SETTINGS,
    text: 'the server does not have this operation; see the settings for such servers',
  },
  InvalidAccessKeyId: UNKNOWN_KEY,
  // Of versitygw, with status 404.
  XAdminUserNotFound: UNKNOWN_KEY,
  SignatureDoesNotMatch: { code: DENIED, text: 'the secret key is wrong; correct the credentials' },
  ExpiredToken: { code: DENIED, text: 'the credentials have expired; renew them' },
  InvalidToken: { code: DENIED, text: 'the session token is wrong; renew the credentials' },
  CredentialsProviderError: { code: DENIED, text: 'there are no credentials; set them, or give this machine a role' },
  AccessDenied: {
    code: DENIED,
    text: 'these credentials have no right to do it; grant it on the bucket and its objects',
  },
  RequestTimeTooSkewed: { code: DENIED, text: 'the clocks of this machine and the server differ; correct the clock' },
  ConditionalRequestConflict: { code: 'aborted', text: 'another writer put it at the same time; read it and retry' },
  OperationAborted: { code: 'aborted', text: 'another writer put it at the same time; read it and retry' },
  NoSuchUpload: { code: 'aborted', text: 'its upload was ended meanwhile, by a rule of the bucket or by hand; retry' },
  InvalidRange: { code: 'out_of_range', text: 'the range ends behind it' },
  EntityTooLarge: { code: 'invalid_argument', text: 'it is larger than the server allows' },
  QuotaExceeded: { code: 'resource_exhausted', text: 'the quota of the bucket is used up; delete objects or raise it' },
  XMinioStorageFull: { code: 'resource_exhausted', text: 'the disks of the server are full' },
  SlowDown: { code: PASSING, text: 'the server throttles; retry later, or send less' },
  TimeoutError: { code: PASSING, text: 'the server did not answer in time; check it and the network' },
  ECONNREFUSED: { code: PASSING, text: 'the connection was refused; check the endpoint and whether the server runs' },
  ENOTFOUND: { code: PASSING, text: 'the host name is unknown; correct the endpoint or the region' },
  ECONNRESET: { code: PASSING, text: 'the server closed the connection; check it and the network' },
};

/**
 * The error of the port for an error of the SDK. It has no `cause`: some errors of servers repeat what was signed. Errors of
 * the port are returned as they are. `timeoutMs` is set when the request was ended after that time.
 */
export function s3Error(error: unknown, asked: Asked, place: Place, timeoutMs?: number): TidemarkError {
  if (error instanceof TidemarkError) return error;
  const { name, status, attempts } = partsOf(error);
  const { code, text } = timeoutMs === undefined ? meaningOf(name, status, asked) : MEANINGS.TimeoutError;
  const object = asked.what === 'list' ? `objects ${asked.key}*` : `object ${asked.key}`;
  const where = `s3://${place.bucket}/${place.prefix} at ${place.endpoint}`;
  const shown = [
    name,
    ...(status === undefined ? [] : [`status ${status}`]),
    ...(timeoutMs === undefined ? [] : [`after ${timeoutMs} ms`]),
    ...(attempts > 1 ? [`${attempts} attempts`] : []),
  ].join(', ');
  const message = `cannot ${asked.what} ${object} in ${where}: ${text} (${shown})`;
  const detail = { key: asked.key, error: name, ...(attempts > 1 && { attempts }) };
  return new TidemarkError(code, message, status === undefined ? detail : { ...detail, status });
}

function meaningOf(name: string, status: number | undefined, asked: Asked): Meaning {
  if (status === 412) {
    return asked.condition === 'absent'
      ? { code: 'already_exists', text: 'it exists; read it before replacing it' }
      : { code: 'failed_precondition', text: 'it has another version, or does not exist; read it again' };
  }
  // Amazon answers so to a condition on a version of an object that does not exist.
  if (name === 'NoSuchKey' && asked.what === 'put') {
    return { code: 'failed_precondition', text: 'it does not exist, and the put was for a version of it' };
  }
  if (Object.hasOwn(MEANINGS, name)) return MEANINGS[name];
  if (status === 401 || status === 403) return MEANINGS.AccessDenied;
  if (status === 404) return MEANINGS.NoSuchKey;
  if (status === 409) return MEANINGS.ConditionalRequestConflict;
  if (status === 416) return MEANINGS.InvalidRange;
  if (status === 301 || status === 307) return MEANINGS.PermanentRedirect;
  if (status === 429 || status === 503) return MEANINGS.SlowDown;
  if (status === 501) return MEANINGS.NotImplemented;
  if (status !== undefined && status >= 400 && status < 500) {
    return { code: SETTINGS, text: 'the server refuses it; compare the settings with what the server supports' };
  }
  return { code: PASSING, text: 'the server or the connection to it failed; check the log of the server' };
}

function partsOf(error: unknown): { name: string; status: number | undefined; attempts: number } {
  const { name, code, $metadata } = (typeof error === 'object' && error !== null ? error : {}) as {
    name?: unknown;
    code?: unknown;
    $metadata?: { httpStatusCode?: unknown; attempts?: unknown };
  };
  // Errors of the system have their own name in `code`.
  const shown = [name, code].map(String).find((one) => Object.hasOwn(MEANINGS, one)) ?? String(code ?? name ?? 'error');
  const status = typeof $metadata?.httpStatusCode === 'number' ? $metadata.httpStatusCode : undefined;
  return { name: shown, status, attempts: typeof $metadata?.attempts === 'number' ? $metadata.attempts : 1 };
}
