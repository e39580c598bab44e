export type { ChunkSummary } from './chunk.ts';
export {
  CHUNK_POINTS_LIMIT,
  chunkSummary,
  decodeChunk,
  decodeSketchChunk,
  encodeChunk,
  encodeSketchChunk,
  pointsBefore,
} from './chunk.ts';
export { ChunkPoints, ChunkSketches } from './chunk-points.ts';
export { lowerBound } from './lower-bound.ts';
