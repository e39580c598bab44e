const bits = new DataView(new ArrayBuffer(8));
const HIGH = 0x7ff0_0000;
const LOW = 2;
/** Processors set this bit when they copy a NaN as a number, so both forms are the marker. */
const QUIET = 0x0008_0000;

bits.setUint32(0, HIGH);
bits.setUint32(4, LOW);

/** The reading that says that its series has ended, as Prometheus writes it: one NaN among all. */
export const STALE_MARKER = bits.getFloat64(0);

/** Returns true for the stale marker, quiet or not; false for any other NaN and any number. */
export function isStaleMarker(value: number): boolean {
  if (!Number.isNaN(value)) return false;
  bits.setFloat64(0, value);
  return (bits.getUint32(0) & ~QUIET) === HIGH && bits.getUint32(4) === LOW;
}
