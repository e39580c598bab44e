/**
 * Gives the memory of bytes back at once: they are empty afterwards, as is every view of their buffer. Does nothing to bytes that
 * share their buffer with others, such as small ones of Node's pool. V8 would keep it until the next collection of the thread's
 * heap, before which there may be 64 MiB of such buffers.
 */
export function releaseBytes(bytes: Uint8Array): void {
  const { buffer } = bytes;
  if (!(buffer instanceof ArrayBuffer) || buffer.detached || bytes.byteLength < buffer.byteLength) return;
  buffer.transfer(0);
}
