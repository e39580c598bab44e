import { assert } from '@tidemark/ports';

export const SLOTS = 1024;

/**
 * The map from slots to partitions: an explicit table with an epoch and not a modulo, so that slots can move one at a
 * time.
 */
export interface PartitionMap {
  readonly epoch: number;
  readonly partitions: number;
  /** The partition of each of the `SLOTS` slots. */
  readonly slots: Uint16Array;
}

/** The slot of a metric: the first two bytes of its id, so that all series of a metric have one slot. */
export function slotOf(metricId: Uint8Array): number {
  return ((metricId[0] << 8) | metricId[1]) % SLOTS;
}

/** A map that spreads the slots evenly. */
export function evenMap(partitions: number, epoch = 1): PartitionMap {
  assert(partitions >= 1 && partitions <= SLOTS, `partitions ${partitions}`);
  return { epoch, partitions, slots: Uint16Array.from({ length: SLOTS }, (_, slot) => slot % partitions) };
}

export function partitionOf(map: PartitionMap, metricId: Uint8Array): number {
  return map.slots[slotOf(metricId)];
}

/** The map in its wire format: two little-endian bytes per slot. */
export function packSlots(map: PartitionMap): Buffer {
  const out = Buffer.alloc(map.slots.length * 2);
  map.slots.forEach((partition, slot) => {
    out.writeUInt16LE(partition, slot * 2);
  });
  return out;
}

export function unpackSlots(bytes: Uint8Array): Uint16Array {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Uint16Array.from({ length: bytes.length >> 1 }, (_, slot) => view.readUInt16LE(slot * 2));
}
