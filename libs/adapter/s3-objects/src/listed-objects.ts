import type { ListObjectsV2CommandOutput } from '@aws-sdk/client-s3';
import { isObjectKey, type ObjectPage, TidemarkError } from '@tidemark/ports';

export interface AskedList {
  /** Prefix of the deployment, which keys do not have. */
  readonly own: string;
  readonly prefix: string;
  readonly startAfter: string;
}

/**
 * The page of a list of the server. `data_loss` for a list that a caller would misunderstand: names without the prefix, not
 * in order, or not after `startAfter`, sizes that are missing, and a page before the end that has no name to continue at.
 */
export function listedObjects(answer: ListObjectsV2CommandOutput, { own, prefix, startAfter }: AskedList): ObjectPage {
  const wrong = (what: string) => new TidemarkError('data_loss', `list of ${own}${prefix}*: ${what}`, { key: prefix });
  const objects: { key: string; sizeBytes: number }[] = [];
  let last = startAfter;
  let next: string | undefined;
  for (const { Key, Size } of answer.Contents ?? []) {
    const name = decoded(Key ?? '', answer.EncodingType);
    if (!name.startsWith(own + prefix)) throw wrong(`the server listed ${name}`);
    const key = name.slice(own.length);
    next = key;
    // Objects of others may have any name.
    if (!isObjectKey(key)) continue;
    if (key <= last) throw wrong(`the server listed ${key} after ${last}`);
    if (Size === undefined) throw wrong(`the server stated no size of ${key}`);
    last = key;
    objects.push({ key, sizeBytes: Size });
  }
  if (!answer.IsTruncated) return { objects };
  if (next === undefined || next === startAfter) throw wrong('the server listed nothing, and says that there is more');
  return { objects, next };
}

function decoded(name: string, encoding: string | undefined): string {
  return encoding === 'url' ? decodeURIComponent(name.replaceAll('+', ' ')) : name;
}
