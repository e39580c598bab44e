import { type Clock, type ListedObject, listedObjects, type ObjectStore, type Random } from '@tidemark/ports';
import { RetriedObjects } from './retried-objects.ts';
import { checkPlace, folderPrefix, type SnapshotFolder, type SnapshotPlace } from './snapshot-place.ts';

/** Options of every operation. When `signal` aborts, the operation throws its reason. */
export interface SnapshotOptions {
  readonly signal?: AbortSignal | undefined;
}

export interface SnapshotStoreParts {
  readonly objects: ObjectStore;
  readonly place: SnapshotPlace;
  readonly clock: Clock;
  readonly random: Random;
  /** The process that uses it, for operators: manifests and pins have it. 1 to 256 characters. */
  readonly user: string;
}

/** The snapshots of one partition in an object store. Operations that fail as `unavailable` are repeated. */
export class SnapshotStore {
  readonly objects: ObjectStore;
  readonly place: SnapshotPlace;
  readonly clock: Clock;
  readonly random: Random;
  readonly user: string;

  /** `invalid_argument` for a place that does not exist. */
  constructor({ objects, place, clock, random, user }: SnapshotStoreParts) {
    checkPlace(place);
    this.objects = new RetriedObjects(objects, { clock, random });
    this.place = place;
    this.clock = clock;
    this.random = random;
    this.user = user;
  }

  /** The objects of a folder of this place, in the order of their keys. */
  async *objectsIn(folder: SnapshotFolder, { signal }: SnapshotOptions): AsyncGenerator<ListedObject> {
    yield* listedObjects(this.objects, folderPrefix(this.place, folder), { signal });
  }
}
