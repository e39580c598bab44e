/** Codes of the system for an address that another socket uses: the name, and the numbers of Linux and macOS. */
const IN_USE: ReadonlySet<string> = new Set(['EADDRINUSE', '-98', '-48']);

/** The system's name of an error, such as `EADDRINUSE`; undefined when it has none. */
export function systemCode(error: unknown): string | undefined {
  return typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : undefined;
}

/** True for the error of listening at an address that is in use; grpc-js has the name in its message alone. */
export function isAddressInUse(error: unknown): boolean {
  const code = systemCode(error);
  if (code !== undefined && IN_USE.has(code)) return true;
  return error instanceof Error && error.message.includes('EADDRINUSE');
}
