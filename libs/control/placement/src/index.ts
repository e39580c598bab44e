export type { PlacedProcess } from './placement.ts';
export { Placement } from './placement.ts';
