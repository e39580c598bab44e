/** Larger pieces are not kept: they are for single large records. */
const KEPT_BYTES = 2 * 1024 * 1024;

/**
 * Memory for the values that one reader reads, one read after the other: those of a read are gone when the next one begins. A new
 * buffer for each read would be garbage outside of the heap, of which there are tens of MiB before V8 collects it.
 */
export class ReadMemory {
  #bytes = Buffer.alloc(0);

  /** `sizeBytes` of it, whose content is undefined. What was taken before is gone. */
  take(sizeBytes: number): Buffer {
    if (sizeBytes > KEPT_BYTES) return Buffer.allocUnsafeSlow(sizeBytes);
    if (this.#bytes.length < sizeBytes) this.#bytes = Buffer.allocUnsafeSlow(sizeBytes);
    return this.#bytes.subarray(0, sizeBytes);
  }
}
