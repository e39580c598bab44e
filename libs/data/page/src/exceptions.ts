import type { ColumnReader } from '@tidemark/columns';
import { EXCEPTION_BITS, EXCEPTION_RAW } from './page-format.ts';

/**
 * Reads the exceptions of a slot with `count` values, and puts them in the place of these. Without `values` they are only
 * checked. Error: `data_loss`.
 */
export function readExceptions(reader: ColumnReader, count: number, values: BigUint64Array | undefined): void {
  const found = reader.count(count, `exceptions of ${count} values`);
  let next = 0;
  for (let i = 0; i < found; i++) {
    const index = next + reader.varint();
    if (index >= count) reader.fail(`an exception at ${index} of ${count} values`);
    const code = reader.u8();
    if (code > EXCEPTION_RAW) reader.fail(`unknown code ${code} of an exception`);
    const at = code === EXCEPTION_RAW ? reader.take(8) : 0;
    if (values !== undefined) {
      values[index] = code === EXCEPTION_RAW ? reader.view.getBigUint64(at, true) : EXCEPTION_BITS[code];
    }
    next = index + 1;
  }
}
