import type { HeldMemory, MemoryPart, StatusReply } from '@tidemark/contract';
import { printable } from '@tidemark/model/safe-text';
import Table from 'cli-table3';

const MIB = 2 ** 20;
/** Smaller parts are not shown: most partitions of a new platform have only such. */
const SHOWN_BYTES = MIB / 10;

/** Formats what the process, its threads and the partitions have in memory; nothing for callers who are not operators. */
export function memory({ memory: held, points, tags }: StatusReply): string[] {
  const table = new Table({
    head: ['memory of', 'MiB', 'parts'],
    style: { head: [], border: [], compact: true },
  });
  const partitions = [
    ...points.map(({ partition, memory: parts }) => ({ holder: `points/${partition}`, parts })),
    ...tags.map(({ partition, memory: parts }) => ({ holder: `tags/${partition}`, parts })),
  ];
  const isProcess = ({ holder }: HeldMemory): boolean => holder === 'process';
  for (const { parts } of held.filter(isProcess)) {
    const unnamed = unnamedBytes(held);
    table.push([
      'process',
      mib(bytesOf(parts, 'resident')),
      partsText([...parts, { part: 'unnamed', bytes: unnamed }]),
    ]);
  }
  for (const { holder, parts } of [...held.filter((one) => !isProcess(one)), ...partitions]) {
    const total = sum(parts);
    if (total >= SHOWN_BYTES) table.push([printable(holder), mib(total), partsText(parts)]);
  }
  return table.length === 0 ? [] : [table.toString()];
}

/** What the process has in RAM without its files and what its threads name; part of what they name may not be in RAM. */
function unnamedBytes(held: readonly HeldMemory[]): number {
  let left = 0;
  for (const { holder, parts } of held) {
    if (holder === 'process') left += bytesOf(parts, 'resident') - bytesOf(parts, 'code');
    else left -= sum(parts);
  }
  return Math.max(0, left);
}

function bytesOf(parts: readonly MemoryPart[], name: string): number {
  return parts.find(({ part }) => part === name)?.bytes ?? 0;
}

function sum(parts: readonly MemoryPart[]): number {
  return parts.reduce((total, { bytes }) => total + bytes, 0);
}

function partsText(parts: readonly MemoryPart[]): string {
  const shown = parts.filter(({ bytes }) => bytes >= SHOWN_BYTES);
  return shown.map(({ part, bytes }) => `${printable(part).replaceAll('_', ' ')} ${mib(bytes)}`).join(', ');
}

function mib(bytes: number): string {
  return (bytes / MIB).toFixed(1);
}
