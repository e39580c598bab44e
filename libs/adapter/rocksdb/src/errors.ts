import { type ErrorCode, TidemarkError } from '@tidemark/ports';

/** The operation that failed; it decides the code of a message that fits no rule. */
export type Operation = 'open' | 'read' | 'verify' | 'write' | 'sync' | 'copy' | 'close';

/**
 * Rules from RocksDB's message to a code. The binding passes on the message without its status class, and `EIO` as the
 * code of all errors. So the class is derived from the text: the POSIX environment starts every I/O error with "While"
 * and ends it with strerror(3), errors of the lock file contain "lock", and all others of open and read are about the
 * content of files.
 */
const RULES: readonly { pattern: RegExp; code: ErrorCode }[] = [
  { pattern: /session is closed|batch is destroyed/i, code: 'failed_precondition' },
  { pattern: /lock hold by current process|while lock file/i, code: 'failed_precondition' },
  {
    pattern: /no space left|disk quota exceeded|file too large|ENOSPC|EDQUOT|EFBIG|space limit/i,
    code: 'resource_exhausted',
  },
  { pattern: /corrupt|checksum mismatch/i, code: 'data_loss' },
  { pattern: /permission denied|read-only file system|EACCES|EPERM|EROFS/i, code: 'permission_denied' },
  { pattern: /too many open files|EMFILE|ENFILE/i, code: 'resource_exhausted' },
  { pattern: /is not a directory|ENOTDIR|EEXIST/i, code: 'failed_precondition' },
  { pattern: /while |i\/o error|input\/output error|EIO: /i, code: 'unavailable' },
];

/** The TidemarkError for an error of the binding or the file system. */
export function rocksDbError(error: unknown, operation: Operation, path: string): TidemarkError {
  if (error instanceof TidemarkError) return error;
  const text = causeOf(error);
  // At open it is a file that another file of the database names.
  const isIncomplete = operation === 'open' && /no such file or directory/i.test(text);
  const code = isIncomplete
    ? 'data_loss'
    : (RULES.find((rule) => rule.pattern.test(text))?.code ?? fallback(operation));
  const errno = errnoIn(text);
  const detail = { path, operation, ...(errno === undefined ? {} : { errno }) };
  return new TidemarkError(code, `RocksDB ${operation} failed: ${text}`, detail, { cause: error });
}

/** The system's name of a full disk in RocksDB's text, for the advice of a program that can't start. */
function errnoIn(text: string): string | undefined {
  if (/no space left|ENOSPC/i.test(text)) return 'ENOSPC';
  return /disk quota exceeded|EDQUOT/i.test(text) ? 'EDQUOT' : undefined;
}

function fallback(operation: Operation): ErrorCode {
  return operation === 'open' || operation === 'read' || operation === 'verify' ? 'data_loss' : 'unavailable';
}

/** The text of an error's cause, if it has one: a failed batch itself says only that it failed. */
function causeOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? error.cause.message : error.message;
}
