import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** Memory of one thread, as the probe writes it. */
interface ThreadMemory {
  readonly thread: number;
  readonly rss: number;
  readonly heapUsed: number;
  readonly external: number;
}

/** Returns all figures of a platform now, by name: memory and disk in bytes, other tables in entries. */
export async function figuresOf(
  pid: number,
  httpPort: number,
  dataFolder: string,
  probeFile: string,
): Promise<ReadonlyMap<string, number>> {
  const figures = new Map<string, number>();
  await addMemory(figures, probeFile);
  figures.set('open files', (await readdir(`/proc/${pid}/fd`)).length);
  figures.set('threads', (await readdir(`/proc/${pid}/task`)).length);
  for (const folder of await readdir(dataFolder)) {
    figures.set(`disk: ${folder}`, await sizeOf(join(dataFolder, folder)));
  }
  const reply = await fetch(`http://127.0.0.1:${httpPort}/api/tidemark/v1/status`);
  addTables(figures, 'status', await reply.json());
  return figures;
}

/** The newest line of each thread. */
async function addMemory(figures: Map<string, number>, probeFile: string): Promise<void> {
  const newest = new Map<number, ThreadMemory>();
  for (const line of (await readFile(probeFile, 'utf8')).trim().split('\n')) {
    const memory: ThreadMemory = JSON.parse(line);
    newest.set(memory.thread, memory);
  }
  const all = [...newest.values()];
  figures.set('memory: process', newest.get(0)?.rss ?? 0);
  for (const { thread, heapUsed } of all) figures.set(`memory: heap of thread ${thread}`, heapUsed);
  figures.set(
    'memory: heaps of all threads',
    all.reduce((sum, { heapUsed }) => sum + heapUsed, 0),
  );
  figures.set(
    'memory: outside of heaps',
    all.reduce((sum, { external }) => sum + external, 0),
  );
}

async function sizeOf(path: string): Promise<number> {
  const found = await stat(path).catch(() => undefined);
  if (found === undefined) return 0;
  if (!found.isDirectory()) return found.blocks * 512;
  let bytes = 0;
  for (const name of await readdir(path).catch(() => [])) bytes += await sizeOf(join(path, name));
  return bytes;
}

/** Numbers of entries that a status names: they are tables, and not totals. */
const TABLES = new Set(['series', 'metrics', 'unknown_days', 'clients']);

/** Adds the length of every list, and every number of entries, in a status; those of partitions are added up. */
function addTables(figures: Map<string, number>, path: string, value: unknown): void {
  if (Array.isArray(value)) {
    add(figures, path, value.length);
    for (const one of value) addTables(figures, path, one);
    return;
  }
  if (typeof value !== 'object' || value === null) return;
  for (const [name, one] of Object.entries(value)) {
    const inner = `${path}.${name}`;
    if (TABLES.has(name) && typeof one === 'number') add(figures, inner, one);
    else addTables(figures, inner, one);
  }
}

function add(figures: Map<string, number>, name: string, value: number): void {
  figures.set(name, (figures.get(name) ?? 0) + value);
}
