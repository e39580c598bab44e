import { Metadata, status } from '@grpc/grpc-js';
import {
  ERROR_CODES,
  type ErrorCode,
  type ErrorDetail,
  isTidemarkError,
  messageOf,
  TidemarkError,
} from '@tidemark/ports';

/** The error that grpc-js sends as the status of a call. */
export interface GrpcError extends Error {
  readonly code: status;
  readonly details: string;
  readonly metadata?: Metadata;
}

/** Trailer with an error's detail as JSON, so that a client sees the field, the limit, the column. */
const DETAIL_KEY = 'tidemark-detail-bin';
/** Largest encoded detail, bytes. A larger one is omitted: proxies refuse large trailers. */
const DETAIL_BYTES = 4096;

export function grpcError(code: status, details: string, metadata?: Metadata): GrpcError {
  return Object.assign(new Error(details), metadata === undefined ? { code, details } : { code, details, metadata });
}

/**
 * The gRPC status of an error: the project's codes are gRPC's in lower case. An error of another class is `INTERNAL`.
 */
export function toGrpcError(error: unknown): GrpcError {
  if (!isTidemarkError(error)) {
    return grpcError(status.INTERNAL, messageOf(error));
  }
  const code = status[error.code.toUpperCase() as keyof typeof status];
  const detail = Buffer.from(JSON.stringify(error.detail));
  if (Object.keys(error.detail).length === 0 || detail.length > DETAIL_BYTES) return grpcError(code, error.message);
  const metadata = new Metadata();
  metadata.set(DETAIL_KEY, detail);
  return grpcError(code, error.message, metadata);
}

/** The error of a failed call for its caller; a status without a code of the project becomes `internal`. */
export function fromGrpcError(error: unknown): TidemarkError {
  if (isTidemarkError(error)) return error;
  if (!isGrpcError(error)) {
    return new TidemarkError('internal', messageOf(error), {}, { cause: error });
  }
  return new TidemarkError(codeOf(error.code), error.details, detailOf(error.metadata), { cause: error });
}

function isGrpcError(error: unknown): error is GrpcError {
  return error instanceof Error && 'code' in error && typeof error.code === 'number' && 'details' in error;
}

function codeOf(code: status): ErrorCode {
  const name = status[code]?.toLowerCase();
  return ERROR_CODES.find((known) => known === name) ?? 'internal';
}

function detailOf(metadata: Metadata | undefined): ErrorDetail {
  const [packed] = metadata?.get(DETAIL_KEY) ?? [];
  if (!Buffer.isBuffer(packed) || packed.length > DETAIL_BYTES) return {};
  try {
    const parsed: unknown = JSON.parse(packed.toString());
    if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) return {};
    return Object.fromEntries(Object.entries(parsed).filter(([, value]) => SCALARS.has(typeof value)));
  } catch {
    return {};
  }
}

const SCALARS: ReadonlySet<string> = new Set(['string', 'number', 'boolean']);
