import { openLocalObjects } from '@tidemark/folder-objects';
import type { ObjectStore, Random } from '@tidemark/ports';
import type { ObjectPlace } from './object-place.ts';

/** Opens an object store. Errors: those of `openS3Objects`; a folder is made by the first write. */
export async function openObjects(place: ObjectPlace, random: Random): Promise<ObjectStore> {
  if (place.store === 'folder') return openLocalObjects(place.folder);
  // The client of S3 takes tens of megabytes, which a platform without S3 does not need.
  const { openS3Objects } = await import('@tidemark/s3-objects');
  return openS3Objects(place.options, random);
}
