import type { Disk, DiskFile } from '@tidemark/ports';

/**
 * The disk of a broker whose recovery takes the last record of a partition for a torn write, although it was synced: at the
 * first use after a start, the record is cut, and so is what states that it was synced.
 */
export function cuttingLastRecords(disk: Disk): Disk {
  const cut = new Set<string>();
  return {
    open: async (path, options) => {
      const file = await disk.open(path, options);
      if (!/^(points|tags)\//.test(path) || cut.has(path)) return file;
      cut.add(path);
      if (path.endsWith('/SYNCED')) await file.truncate(0);
      else if (path.endsWith('.segment') && (await isLast(disk, path))) await cutLastRecord(file);
      return file;
    },
    list: (path) => disk.list(path),
    rename: (from, to) => {
      cut.add(to);
      return disk.rename(from, to);
    },
    remove: (path) => disk.remove(path),
    lock: (path) => disk.lock(path),
    space: () => disk.space(),
  };
}

/** The disk of a client that has lost the batches of earlier runs at a start, without a trace of them. */
export function losingSpools(disk: Disk): Disk {
  return {
    open: (path, options) => disk.open(path, options),
    list: async (path) => (path === 'spool' ? [] : disk.list(path)),
    rename: (from, to) => disk.rename(from, to),
    remove: (path) => disk.remove(path),
    lock: (path) => disk.lock(path),
    space: () => disk.space(),
  };
}

async function isLast(disk: Disk, path: string): Promise<boolean> {
  const folder = path.slice(0, path.lastIndexOf('/'));
  const segments = (await disk.list(folder)).filter((name) => name.endsWith('.segment'));
  return path === `${folder}/${segments.at(-1)}`;
}

async function cutLastRecord(file: DiskFile): Promise<void> {
  const bytes = Buffer.alloc(await file.sizeBytes());
  await file.read(bytes, 0);
  const at = bytes.lastIndexOf('TREC');
  if (at > 0) await file.truncate(at);
}
