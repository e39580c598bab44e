import { limitError, type TidemarkError } from '@tidemark/ports';

/** More partitions than this are a slip of the pen. */
const MAX_PARTITIONS = 65_536;

/** `0-3, 7` as [0, 1, 2, 3, 7], ascending and distinct. `field` names the setting in errors (`invalid_argument`). */
export function parsePartitions(text: string, field: string): number[] {
  const partitions = new Set<number>();
  for (const part of text.split(',').map((one) => one.trim())) {
    const range = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(part);
    if (range === null) throw wrong(field, part, 'partitions such as 0-3,7');
    const first = Number(range[1]);
    const last = Number(range[2] ?? range[1]);
    if (last < first || last >= MAX_PARTITIONS) throw wrong(field, part, `ascending, below ${MAX_PARTITIONS}`);
    for (let partition = first; partition <= last; partition++) partitions.add(partition);
  }
  return [...partitions].sort((a, b) => a - b);
}

/** `host:port, host:port` as a list; empty text is none. IPv6 addresses stand in brackets. */
export function parseAddresses(text: string, field: string): string[] {
  if (text.trim() === '') return [];
  const addresses = text.split(',').map((one) => one.trim());
  for (const address of addresses) checkAddress(address, field);
  return [...new Set(addresses)];
}

/** Throws `invalid_argument` for what is no `host:port`. */
export function checkAddress(address: string, field: string): void {
  const found = /^(?:\[[0-9a-f:.]+\]|[^\s:/[\]]+):(\d{1,5})$/i.exec(address);
  if (found === null || Number(found[1]) < 1 || Number(found[1]) > 65_535) throw wrong(field, address, 'host:port');
}

function wrong(field: string, found: string, limit: string): TidemarkError {
  return limitError(field, JSON.stringify(found.slice(0, 80)), limit);
}
