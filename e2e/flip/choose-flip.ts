import { readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { below, type Random } from '@tidemark/ports';

/** Damage of one file: a flipped bit, or what a disk check or a hand leaves, a file that is cut or gone, or a folder of a spool that is gone. */
export type Flip = { readonly file: string } & (
  | {
      readonly kind: 'bit';
      /** Of the byte. */
      readonly offset: number;
      /** 0 is the lowest. */
      readonly bit: number;
    }
  | { readonly kind: 'cut'; readonly sizeBytes: number }
  | { readonly kind: 'removed' }
);

/** Shares of damage other than a flipped bit. */
const CUT_SHARE = 0.2;
const REMOVED_SHARE = 0.15;

/** A file in the folder of a client session. */
const IN_SPOOL = /^agent\/spool\/[0-9a-f]{32}\//;

interface Candidate {
  readonly file: string;
  readonly bytes: number;
}

/** The text that RocksDB writes about its work, which nothing reads: nine tenths of the bytes of a small folder. */
const DIARY = /(^|\/)LOG(\.old\.\d+)?$/;

/**
 * Chooses damage of one of the files below `folder` whose names, relative to it, begin with `prefix`. Half of the choices are by
 * file, so that small files get their share, half by byte, without those of RocksDB's own text.
 */
export async function chooseFlip(folder: string, random: Random, prefix = ''): Promise<Flip> {
  const files = (await filesOf(folder)).filter(({ file }) => file.startsWith(prefix));
  if (files.length === 0) throw new Error(`no file of ${folder} begins with "${prefix}"`);
  const isByFile = random.next() < 0.5;
  const { file, bytes } = isByFile
    ? files[below(random, files.length)]
    : byByte(
        files.filter(({ file }) => !DIARY.test(file)),
        random,
      );
  const way = random.next();
  if (way < REMOVED_SHARE) {
    // An index says what the folder of a spool had.
    const isWhole = IN_SPOOL.test(file) && random.next() < 0.5;
    return { kind: 'removed', file: isWhole ? dirname(file) : file };
  }
  const offset = below(random, bytes);
  if (way < REMOVED_SHARE + CUT_SHARE) return { kind: 'cut', file, sizeBytes: offset };
  return { kind: 'bit', file, offset, bit: below(random, 8) };
}

export async function applyFlip(folder: string, flip: Flip): Promise<void> {
  const path = join(folder, flip.file);
  if (flip.kind === 'removed') return rm(path, { recursive: true });
  if (flip.kind === 'cut') return truncate(path, flip.sizeBytes);
  const bytes = await readFile(path);
  bytes[flip.offset] ^= 1 << flip.bit;
  await writeFile(path, bytes);
}

/** Names damage for a person: `bit 3 of the byte at 12 of CURRENT`. */
export function flipText(flip: Flip): string {
  if (flip.kind === 'removed') return `${flip.file}, which is removed,`;
  if (flip.kind === 'cut') return `${flip.file}, which is cut to ${flip.sizeBytes} bytes,`;
  return `bit ${flip.bit} of the byte at ${flip.offset} of ${flip.file}`;
}

function byByte(files: readonly Candidate[], random: Random): Candidate {
  let at = below(
    random,
    files.reduce((sum, { bytes }) => sum + bytes, 0),
  );
  for (const one of files) {
    if (at < one.bytes) return one;
    at -= one.bytes;
  }
  throw new Error('the position is beyond the files');
}

/** The files that have bytes, in the order of their names, so that a seed means the same flip of equal folders. */
async function filesOf(folder: string): Promise<Candidate[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = entries.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name));
  const files = await Promise.all(
    paths.map(async (path) => ({ file: relative(folder, path), bytes: (await stat(path)).size })),
  );
  return files.filter(({ bytes }) => bytes > 0).sort((a, b) => (a.file < b.file ? -1 : 1));
}
