export { backoffMs } from './backoff.ts';
export type { CarriedError } from './carried-error.ts';
export { carriedError, restoredError } from './carried-error.ts';
export type { Clock, Timer } from './clock.ts';
export { sleep } from './clock.ts';
export type { Disk, DiskFile, DiskLock } from './disk.ts';
export type { ErrorCode, ErrorDetail } from './error.ts';
export {
  AssertionError,
  assert,
  asTidemarkError,
  ERROR_CODES,
  httpStatusOf,
  isFullLog,
  isTidemarkError,
  messageOf,
  TidemarkError,
  unreachable,
} from './error.ts';
export type { Events } from './events.ts';
export { ifStored } from './if-stored.ts';
export { inParallel } from './in-parallel.ts';
export { ipv6LoopbackFor, ipv6LoopbackProblem } from './ipv6-loopback.ts';
export type { KeyRange, KeyValue, KeyValueWrite, OpenKeyValue } from './key-value.ts';
export { limitError } from './limit-error.ts';
export { type ListedObject, listedObjects } from './listed-objects.ts';
export type { Appended, Log, LogBounds, LogRecord, LogWriter, ReadOptions, Topic } from './log.ts';
export { isMovedError, movedError } from './moved-error.ts';
export { checkObjectKey, checkObjectPrefix, isObjectKey, OBJECT_KEY_CHARACTERS } from './object-key.ts';
export {
  assertOneCondition,
  checkObjectRange,
  checkPageLimit,
  checkStatedCrc32c,
  checkWholeObject,
  pastObjectEnd,
} from './object-limits.ts';
export type {
  ListOptions,
  ObjectInfo,
  ObjectOptions,
  ObjectPage,
  ObjectRange,
  ObjectStore,
  PutOptions,
  PutStreamOptions,
  ReadObjectOptions,
  StoredObject,
} from './object-store.ts';
export { PAGE_KEYS, WHOLE_OBJECT_BYTES } from './object-store.ts';
export type { Random } from './random.ts';
export { below } from './random.ts';
export { ReusedMemory } from './reused-memory.ts';
export { type IsFinal, SettlingWriter } from './settling-writer.ts';
export type { SlicedWork } from './sliced-work.ts';
export { finishAtOnce, finishInSlices } from './sliced-work.ts';
export { Slots } from './slots.ts';
export { readSmallFile, writeSmallFile } from './small-file.ts';
export { mergedInSlices, sortedInSlices } from './sorted-in-slices.ts';
export { isAddressInUse, systemCode } from './system-error.ts';
export type { Slicing } from './work-slice.ts';
export { slicingOf, WorkSlice } from './work-slice.ts';
