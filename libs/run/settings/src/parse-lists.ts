import type { PlacedProcess } from '@tidemark/placement';
import { limitError, TidemarkError } from '@tidemark/ports';

/** A larger partition number is taken for a typing mistake. */
const MAX_PARTITIONS = 65_536;
const PARTITIONS_LIMIT = 'partitions such as 0-3,7';
const SHOWN_CHARACTERS = 80;

/**
 * Parses `0-3, 7` into [0, 1, 2, 3, 7], ascending and distinct. Error: `invalid_argument` with the part and the limit.
 */
export function parsePartitions(text: string): number[] {
  const partitions = new Set<number>();
  for (const part of text.split(',').map((one) => one.trim())) {
    const range = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(part);
    if (range === null) throw wrong(part, PARTITIONS_LIMIT);
    const first = Number(range[1]);
    const last = Number(range[2] ?? range[1]);
    if (last < first || last >= MAX_PARTITIONS) throw wrong(part, `ascending, below ${MAX_PARTITIONS}`);
    for (let partition = first; partition <= last; partition++) partitions.add(partition);
  }
  return [...partitions].sort((a, b) => a - b);
}

/** Creates the error for a process that must own partitions and has an empty `cluster.partitions`. */
export function noPartitions(): TidemarkError {
  return limitError('cluster.partitions', '""', PARTITIONS_LIMIT);
}

/**
 * Parses `host:port, host:port` into distinct addresses; empty text means none. IPv6 addresses have brackets. Error:
 * `invalid_argument` with the address and the limit.
 */
export function parseAddresses(text: string): string[] {
  if (text.trim() === '') return [];
  const addresses = text.split(',').map((one) => one.trim());
  for (const address of addresses) checkAddress(address);
  return [...new Set(addresses)];
}

/** Parses `host:port`; empty text means none. Error: `invalid_argument` with the text, also for several addresses. */
export function parseOptionalAddress(text: string): string[] {
  const addresses = parseAddresses(text);
  if (addresses.length > 1) throw wrong(text, 'one host:port');
  return addresses;
}

/**
 * Parses `host:port=0-3; host:port=2,4-7`; empty text means none. Error: `invalid_argument` for a wrong address or
 * partition, and for an address that is listed twice.
 */
export function parsePlacement(text: string): PlacedProcess[] {
  const entries = text.split(';').filter((entry) => entry.trim() !== '');
  const placed = entries.map((entry): PlacedProcess => {
    const [address, partitions = ''] = entry.split('=').map((part) => part.trim());
    checkAddress(address);
    return { address, partitions: parsePartitions(partitions) };
  });
  const addresses = new Set<string>();
  for (const { address } of placed) {
    if (addresses.has(address)) throw new TidemarkError('invalid_argument', `${address} is listed twice (limit: once)`);
    addresses.add(address);
  }
  return placed;
}

function checkAddress(address: string): void {
  const found = /^(?:\[[0-9a-f:.]+\]|[^\s:/[\]]+):(\d{1,5})$/i.exec(address);
  if (found === null || Number(found[1]) < 1 || Number(found[1]) > 65_535) throw wrong(address, 'host:port');
}

function wrong(found: string, limit: string): TidemarkError {
  const shown = JSON.stringify(found.slice(0, SHOWN_CHARACTERS));
  return new TidemarkError('invalid_argument', `${shown} (limit: ${limit})`, { limit });
}
