import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const FOLDER = fileURLToPath(new URL('./corpus', import.meta.url));

export interface CorpusFile {
  readonly name: string;
  readonly bytes: Buffer;
}

/** The corpus of a target: files of `corpus/TARGET`, each one input. */
export function corpusOf(target: string): CorpusFile[] {
  const folder = join(FOLDER, target);
  if (!existsSync(folder)) return [];
  const names = readdirSync(folder).sort();
  return names.map((name) => ({ name, bytes: readFileSync(join(folder, name)) }));
}

/** Keeps an input in the corpus, under a name of its kind and content. Returns the path of the file. */
export function keepInput(target: string, kind: 'found' | 'new', input: Uint8Array): string {
  const folder = join(FOLDER, target);
  mkdirSync(folder, { recursive: true });
  const file = join(folder, `${kind}-${createHash('sha256').update(input).digest('hex').slice(0, 12)}`);
  writeFileSync(file, input);
  return file;
}
