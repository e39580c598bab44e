export type { RemoteWriteLimits } from './remote-write-limits.ts';
export { DEFAULT_REMOTE_WRITE_LIMITS } from './remote-write-limits.ts';
export { WriteBody } from './write-body.ts';
export type { Samples, SeriesSink } from './write-decoder.ts';
export { WriteDecoder } from './write-decoder.ts';
