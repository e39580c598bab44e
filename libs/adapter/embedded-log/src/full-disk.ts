import { type Disk, isTidemarkError, TidemarkError } from '@tidemark/ports';

/** What to do where the free bytes of the volume are not what is missing. */
const REMEDIES: Readonly<Record<string, string>> = {
  EFBIG: 'raise the limit on the size of files',
  EDQUOT: 'raise the quota, or free space',
};

/** Adds to an error of a full disk how many bytes of it are free, and what to do. Other errors stay as they are. */
export async function describeFullDisk(error: unknown, disk: Pick<Disk, 'space'>): Promise<unknown> {
  if (!isTidemarkError(error, 'resource_exhausted')) return error;
  const space = await disk.space().catch(() => undefined);
  const free = space === undefined ? '' : `; ${space.freeBytes} of ${space.totalBytes} bytes of that disk are free`;
  const remedy = REMEDIES[String(error.detail.errno)] ?? 'free space there';
  const message = `${error.message}${free}: ${remedy}, and appends resume by themselves`;
  return new TidemarkError('resource_exhausted', message, error.detail, { cause: error });
}
