import { join } from 'node:path';
import type { S3Options } from '@tidemark/s3-objects/options';
import type { Settings } from '@tidemark/settings';

/** Where objects are kept; plain data, which can be passed to a thread. */
export type ObjectPlace =
  | { readonly store: 'folder'; readonly folder: string }
  | { readonly store: 's3'; readonly options: S3Options };

/** Returns the object store that the settings name, undefined for none. */
export function objectPlace({ objects, data }: Pick<Settings, 'objects' | 'data'>): ObjectPlace | undefined {
  if (objects.store === 'none') return undefined;
  if (objects.store === 'folder') {
    return { store: 'folder', folder: objects.folder === '' ? join(data.folder, 'objects') : objects.folder };
  }
  const { bucket, prefix, endpoint, region, pathStyle, encryption, kmsKeyId, storageClass, checksums } = objects;
  const { attempts, connectMs, requestMs, operationMs, connections, partBytes } = objects;
  const options: S3Options = {
    ...{ bucket, prefix, checksums },
    ...(endpoint !== '' && { endpoint }),
    ...(region !== '' && { region }),
    ...(pathStyle !== 'auto' && { pathStyle: pathStyle === 'true' }),
    ...(encryption !== 'bucket' && { encryption }),
    ...(kmsKeyId !== '' && { kmsKeyId }),
    ...(storageClass !== '' && { storageClass }),
    limits: { attempts, connectMs, requestMs, operationMs, connections, partBytes },
  };
  return { store: 's3', options };
}

/** Names a place for messages, without secrets. */
export function objectPlaceText(place: ObjectPlace): string {
  if (place.store === 'folder') return place.folder;
  const { bucket, prefix = '', endpoint } = place.options;
  return `s3://${bucket}/${prefix}${endpoint === undefined ? '' : ` at ${endpoint}`}`;
}
