/** CRC-32C's polynomial, bits reversed (RFC 3720, appendix B.4). As a register it is x^32. */
export const CRC_POLYNOMIAL = 0x82f63b78;

/** The register after each byte, from a register of zero: what one step of CRC-32C adds, by byte. */
export const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let register = byte;
  for (let bit = 0; bit < 8; bit++) register = register & 1 ? (register >>> 1) ^ CRC_POLYNOMIAL : register >>> 1;
  return register;
});
