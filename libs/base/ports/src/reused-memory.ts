/** Larger pieces are not kept: they are for single large records. */
const KEPT_BYTES = 2 * 1024 * 1024;

/**
 * Memory for what is needed one after the other, such as the values of a reader's reads: those of a read are gone when the next one
 * begins. A new buffer for each would be garbage outside of the heap, of which there are tens of MiB before V8 collects it.
 */
export class ReusedMemory {
  #bytes = Buffer.alloc(0);

  /** `sizeBytes` of it, whose content is undefined. What was taken before is gone. */
  take(sizeBytes: number): Buffer {
    if (sizeBytes > KEPT_BYTES) return Buffer.allocUnsafeSlow(sizeBytes);
    if (this.#bytes.length < sizeBytes) this.#bytes = Buffer.allocUnsafeSlow(sizeBytes);
    return this.#bytes.subarray(0, sizeBytes);
  }
}
