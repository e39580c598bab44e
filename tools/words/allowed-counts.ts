import { KINDS, type Kind } from './find-words.ts';

/** Findings of each folder by kind; a kind without any is left out. */
export type Counts = Record<string, Partial<Record<Kind, number>>>;

/** The folder whose counts a file belongs to: a package, a program, or the folder of a page. */
export function folderOf(path: string): string {
  const parts = path.split('/');
  const depth = parts[0] === 'libs' ? 3 : parts[0] === 'docs' || parts[0] === 'apps' ? 2 : 1;
  return parts.slice(0, Math.min(depth, parts.length - 1)).join('/') || '.';
}

/** Folders and kinds with more findings than allowed. A folder that is not listed is allowed none. */
export function exceeded(
  counts: Counts,
  allowed: Counts,
): { folder: string; kind: Kind; count: number; limit: number }[] {
  return Object.entries(counts).flatMap(([folder, byKind]) =>
    KINDS.flatMap((kind) => {
      const count = byKind[kind] ?? 0;
      const limit = allowed[folder]?.[kind] ?? 0;
      return count > limit ? [{ folder, kind, count, limit }] : [];
    }),
  );
}

/** The allowed counts after an update: the smaller of both, so that none ever rises. */
export function lowered(counts: Counts, allowed: Counts): Counts {
  const result: Counts = {};
  for (const folder of Object.keys(allowed).sort()) {
    const kinds: Partial<Record<Kind, number>> = {};
    for (const kind of KINDS) {
      const count = Math.min(counts[folder]?.[kind] ?? 0, allowed[folder]?.[kind] ?? 0);
      if (count > 0) kinds[kind] = count;
    }
    if (Object.keys(kinds).length > 0) result[folder] = kinds;
  }
  return result;
}
