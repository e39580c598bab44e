import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { below, type Random } from '@tidemark/ports';

/** One bit of a file. */
export interface Flip {
  /** Relative to the data folder. */
  readonly file: string;
  /** Of the byte. */
  readonly offset: number;
  /** 0 is the lowest. */
  readonly bit: number;
}

interface Candidate {
  readonly file: string;
  readonly bytes: number;
}

/** The text that RocksDB writes about its work, which nothing reads: nine tenths of the bytes of a small folder. */
const DIARY = /(^|\/)LOG(\.old\.\d+)?$/;

/**
 * Chooses a bit of the files below `folder` whose names, relative to it, begin with `prefix`. Half of the choices are by file, so that small files get their share, half by
 * byte, without those of RocksDB's own text.
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
  return { file, offset: below(random, bytes), bit: below(random, 8) };
}

export async function applyFlip(folder: string, { file, offset, bit }: Flip): Promise<void> {
  const path = join(folder, file);
  const bytes = await readFile(path);
  bytes[offset] ^= 1 << bit;
  await writeFile(path, bytes);
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
