export { bitWidth } from './bit-packing.ts';
export { orderPoints, orderSketches } from './column-order.ts';
export { ColumnReader } from './column-reader.ts';
export { copyColumn } from './copy-column.ts';
export { grown, grownCapacity } from './grown.ts';
export { TIME_LIMIT_MS } from './mini-block.ts';
export { PointColumns, SketchColumns } from './point-columns.ts';
export { PointSorter } from './point-sorter.ts';
export type { ShareLimits, ShareSummary } from './share.ts';
export {
  DEFAULT_SHARE_LIMITS,
  decodeShare,
  encodeShare,
  inspectShare,
  pointCount,
  SHARE_POINTS_LIMIT,
  SHARE_SKETCHES_LIMIT,
} from './share.ts';
export type { TimeRange } from './time-column.ts';
export { readTimeBlocks, writeTimeBlocks } from './time-column.ts';
export { readValues, writeValues } from './value-column.ts';
