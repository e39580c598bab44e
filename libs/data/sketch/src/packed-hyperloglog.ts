import { ByteReader, type ByteWriter } from '@tidemark/bytes';
import { HyperLogLog, MAX_PRECISION, MIN_PRECISION } from './hyperloglog.ts';

/** Version of the packed format, docs/formats/hyperloglog.md. */
export const HYPERLOGLOG_VERSION = 1;

const FORM_SPARSE = 0;
const FORM_DENSE = 1;
const RANK_BITS = 6;
/**
 * A set is sparse while at most one register in this many is in use: an entry has up to 3 bytes, a dense register 3/4.
 */
const SPARSE_SHARE = 8;

/** Appends `set` in the packed format; equal registers give equal bytes. */
export function packHyperLogLog(set: HyperLogLog, out: ByteWriter): void {
  const registers = set.toRegisters();
  let used = 0;
  for (const rank of registers) if (rank > 0) used++;
  out.u8(HYPERLOGLOG_VERSION);
  out.u8(set.precision);
  if (used * SPARSE_SHARE <= registers.length) {
    out.u8(FORM_SPARSE);
    out.varint(used);
    let next = 0;
    for (let i = 0; i < registers.length; i++) {
      if (registers[i] === 0) continue;
      out.varint((i - next) * 2 ** RANK_BITS + registers[i]);
      next = i + 1;
    }
    return;
  }
  out.u8(FORM_DENSE);
  for (let i = 0; i < registers.length; i += 4) {
    const four = registers[i] | (registers[i + 1] << 6) | (registers[i + 2] << 12) | (registers[i + 3] << 18);
    out.u8(four & 0xff);
    out.u8((four >>> 8) & 0xff);
    out.u8(four >>> 16);
  }
}

/** Decodes all of `bytes`. Throws `data_loss` unless they are one whole valid packed set. */
export function unpackHyperLogLog(bytes: Uint8Array): HyperLogLog {
  const reader = new ByteReader(bytes, 'packed HyperLogLog');
  const version = reader.u8();
  if (version !== HYPERLOGLOG_VERSION) reader.fail(`version ${version}, this program reads ${HYPERLOGLOG_VERSION}`);
  const precision = reader.u8();
  if (precision < MIN_PRECISION || precision > MAX_PRECISION)
    reader.fail(`a precision of ${precision} (limit: ${MIN_PRECISION} to ${MAX_PRECISION})`);
  const set = new HyperLogLog({ precision });
  const form = reader.u8();
  if (form === FORM_SPARSE) readSparse(reader, set);
  else if (form === FORM_DENSE) readDense(reader, set);
  else reader.fail(`unknown form ${form}`);
  if (reader.remaining > 0) reader.fail(`${reader.remaining} bytes after the end`);
  return set;
}

function readSparse(reader: ByteReader, set: HyperLogLog): void {
  const used = reader.varint();
  if (used * SPARSE_SHARE > set.registerCount) reader.fail(`${used} registers in the sparse form`);
  reader.need(used);
  let next = 0;
  for (let i = 0; i < used; i++) {
    const entry = reader.varint();
    const rank = entry % 2 ** RANK_BITS;
    const register = next + (entry - rank) / 2 ** RANK_BITS;
    if (register >= set.registerCount) reader.fail(`register ${register} of ${set.registerCount}`);
    if (rank === 0) reader.fail('an unused register in the sparse form');
    raise(reader, set, register, rank);
    next = register + 1;
  }
}

function readDense(reader: ByteReader, set: HyperLogLog): void {
  const count = set.registerCount;
  reader.need((count / 4) * 3);
  let used = 0;
  for (let i = 0; i < count; i += 4) {
    const four = reader.u8() | (reader.u8() << 8) | (reader.u8() << 16);
    for (let k = 0; k < 4; k++) {
      const rank = (four >>> (6 * k)) & 0x3f;
      if (rank === 0) continue;
      raise(reader, set, i + k, rank);
      used++;
    }
  }
  if (used * SPARSE_SHARE <= count) reader.fail(`${used} registers in the dense form`);
}

function raise(reader: ByteReader, set: HyperLogLog, register: number, rank: number): void {
  const limit = 65 - set.precision;
  if (rank > limit) reader.fail(`a rank of ${rank} (limit: ${limit})`);
  set.raise(register, rank);
}
