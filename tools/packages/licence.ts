// The files of the licence, which every package contains: Apache-2.0 asks to pass NOTICE on with each copy.
import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './root.ts';

export const LICENCE_FILES = ['LICENSE', 'NOTICE'];

/** Copies the licence and the notice into `folder`. */
export function copyLicence(folder: string): void {
  for (const name of LICENCE_FILES) copyFileSync(join(root, name), join(folder, name));
}
