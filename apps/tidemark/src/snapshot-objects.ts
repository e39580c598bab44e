import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { readSettings } from '@tidemark/executable';
import { SystemRandom } from '@tidemark/node-runtime';
import { type ObjectPlace, objectPlace, openObjects } from '@tidemark/object-storage';
import { type ObjectStore, TidemarkError } from '@tidemark/ports';
import type { Settings } from '@tidemark/settings';
import type { Command } from 'commander';
import { printError } from './printable.ts';

/** The settings that name an object store. */
export const GROUPS = ['data', 'objects'] as const;

/** An object store, and the settings that name it. */
export interface OpenedObjects {
  readonly settings: Settings;
  readonly place: ObjectPlace;
  readonly objects: ObjectStore;
}

/** Opens the object store that the settings of a command name. */
export async function withObjects(command: Command, task: (opened: OpenedObjects) => Promise<void>): Promise<void> {
  const settings = await readSettings(command, {
    environment: process.env,
    readText: (file) => readFile(file, 'utf8'),
    warn: printError,
  });
  const place = objectPlace(settings);
  if (place === undefined) {
    throw new TidemarkError(
      'invalid_argument',
      'objects.store: none (limit: folder or s3): set it with --objects-store, TIDEMARK_OBJECTS_STORE or --settings FILE',
    );
  }
  // A command that only reads must not make a folder, whose name may be a slip.
  if (place.store === 'folder' && !existsSync(place.folder)) {
    throw new TidemarkError('not_found', `the folder ${place.folder} of the object store does not exist`);
  }
  const objects = await openObjects(place, new SystemRandom());
  try {
    await task({ settings, place, objects });
  } finally {
    await objects.close();
  }
}
