export { parseAddresses, parsePartitions } from './parse-lists.ts';
export type { PlacedProcess } from './placement.ts';
export { Placement } from './placement.ts';
