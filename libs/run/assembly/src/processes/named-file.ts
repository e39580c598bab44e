import { TidemarkError } from '@tidemark/ports';
import type { ServiceContext } from './service-context.ts';

/** Reads the file that a setting names; undefined when it names none. Error: `not_found`, with the setting. */
export async function namedFile(
  { readFile }: Pick<ServiceContext, 'readFile'>,
  setting: string,
  path: string,
): Promise<Buffer | undefined> {
  if (path === '') return undefined;
  return readFile(path).catch((error: unknown) => {
    throw new TidemarkError('not_found', `${setting}: can't read ${path}: ${String(error)}`, { setting, path });
  });
}

/** Throws `invalid_argument` when only one of a certificate and its key is set. */
export function requireBoth(group: string, certificate: unknown, key: unknown): void {
  if ((certificate === undefined) === (key === undefined)) return;
  const message = `set both ${group}.certFile and ${group}.keyFile, or neither`;
  throw new TidemarkError('invalid_argument', message, { setting: `${group}.certFile` });
}
