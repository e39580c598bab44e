import { ByteReader, ByteWriter } from '@tidemark/bytes';
import { Bitmap } from './bitmap.ts';
import {
  ARRAY,
  arrayContainer,
  BITS,
  type Container,
  containerOfWords,
  RUNS,
  runContainer,
  smallestForm,
  WORDS,
} from './container.ts';

export const BITMAP_VERSION = 1;

/** Bytes of the smallest container: a key, a form, a size and one value. */
const MIN_CONTAINER_BYTES = 7;

/**
 * The bitmap as bytes, a function of the set alone (docs/formats/bitmap.md). The bytes have no checksum: the store adds
 * one. Converts the bitmap's containers to their smallest form.
 */
export function serializeBitmap(bitmap: Bitmap): Buffer {
  bitmap.optimize();
  const writer = new ByteWriter();
  let count = 0;
  bitmap.eachContainer(() => count++);
  writer.u8(BITMAP_VERSION);
  writer.varint(count);
  bitmap.eachContainer((key, container) => {
    writer.u16(key);
    writer.u8(container.form);
    writer.u16(container.size - 1);
    if (container.form === BITS) {
      for (let w = 0; w < WORDS; w++) writer.u32(container.words[w]);
      return;
    }
    if (container.form === RUNS) writer.u16(container.runs - 1);
    const used = container.form === RUNS ? container.runs * 2 : container.size;
    for (let i = 0; i < used; i++) writer.u16(container.values[i]);
  });
  return writer.take();
}

/** Decodes bytes of `serializeBitmap`. Bytes that it would not have written are `data_loss`. */
export function deserializeBitmap(bytes: Uint8Array): Bitmap {
  const reader = new ByteReader(bytes, 'bitmap');
  const version = reader.u8();
  if (version !== BITMAP_VERSION) reader.fail(`version ${version}, this program reads ${BITMAP_VERSION}`);
  const countAt = reader.position;
  const count = reader.varint();
  if (reader.position - countAt !== varintBytes(count)) reader.fail('the number of containers has too many bytes');
  if (count * MIN_CONTAINER_BYTES > reader.remaining) reader.fail(`${count} containers in ${reader.remaining} bytes`);
  const keys: number[] = [];
  const containers: Container[] = [];
  for (let i = 0; i < count; i++) {
    const key = reader.u16();
    if (i > 0 && key <= keys[i - 1]) reader.fail('container keys do not ascend');
    keys.push(key);
    containers.push(readContainer(reader));
  }
  if (reader.remaining > 0) reader.fail(`${reader.remaining} bytes after the end`);
  return Bitmap.ofContainers(keys, containers);
}

function varintBytes(value: number): number {
  return value < 0x80 ? 1 : Math.floor(Math.log2(value) / 7) + 1;
}

function readContainer(reader: ByteReader): Container {
  const form = reader.u8();
  const size = reader.u16() + 1;
  const container = readForm(reader, form, size);
  if (container.size !== size) reader.fail(`${container.size} values, expected ${size}`);
  if (smallestForm(size, container.countRuns()) !== form) reader.fail(`form ${form} is not the smallest`);
  return container;
}

function readForm(reader: ByteReader, form: number, size: number): Container {
  switch (form) {
    case ARRAY:
      return readArray(reader, size);
    case BITS: {
      reader.need(WORDS * 4);
      return containerOfWords(Uint32Array.from({ length: WORDS }, () => reader.u32()));
    }
    case RUNS:
      return readRuns(reader);
    default:
      return reader.fail(`unknown form ${form}`);
  }
}

function readArray(reader: ByteReader, size: number): Container {
  reader.need(size * 2);
  const values = new Uint16Array(size);
  for (let i = 0; i < size; i++) {
    values[i] = reader.u16();
    if (i > 0 && values[i] <= values[i - 1]) reader.fail('values do not ascend');
  }
  return arrayContainer(values, size);
}

function readRuns(reader: ByteReader): Container {
  const runs = reader.u16() + 1;
  reader.need(runs * 4);
  const values = new Uint16Array(runs * 2);
  let size = 0;
  let free = 0;
  for (let r = 0; r < runs; r++) {
    const start = reader.u16();
    const more = reader.u16();
    // Runs that touch must be one run.
    if (start < free || start + more > 0xffff) reader.fail('runs overlap or touch');
    values[r * 2] = start;
    values[r * 2 + 1] = more;
    size += more + 1;
    free = start + more + 2;
  }
  return runContainer(values, size);
}
