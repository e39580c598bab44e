import { Bitmap, deserializeBitmap, serializeBitmap } from '@tidemark/bitmap';
import { ByteWriter } from '@tidemark/bytes';
import { decodeShare, encodeShare, inspectShare, PointColumns, SketchColumns } from '@tidemark/columns';
import { packPartial, SPACE_FOLD, SpacePartial, spaceFoldOf, unpackPartial } from '@tidemark/fold';
import { Page, PageDecoder, PageKernel, PageWriter, SharedTimes, TimesRecord, TimesWriter } from '@tidemark/page';
import {
  DDSketch,
  fromOfficialProtobuf,
  HyperLogLog,
  mergePacked,
  packedTotals,
  packHyperLogLog,
  packSketch,
  toOfficialProtobuf,
  unpackHyperLogLog,
  unpackSketch,
} from '@tidemark/sketch';
import { type FuzzTarget, holds, parsed } from '../target.ts';
import { sealedAtEnd } from './sealed.ts';

const NOW_MS = 1_700_000_000_000;

const bitmap: FuzzTarget = {
  name: 'bitmap',
  seeds: () =>
    [[], [1, 5, 70_000], Array.from({ length: 5000 }, (_, i) => i * 3), Array.from({ length: 9000 }, (_, i) => i)].map(
      (ids) => serializeBitmap(Bitmap.of(ids)),
    ),
  maxBytes: 16_384,
  run: (input) => {
    const read = parsed(['data_loss'], () => deserializeBitmap(input));
    if (read === undefined) return;
    holds(serializeBitmap(read).equals(input), () => 'decoded bytes encode to others');
  },
};

function sketchOf(values: readonly number[]): DDSketch {
  const made = new DDSketch();
  for (const value of values) made.insert(value);
  return made;
}

function packed(values: readonly number[]): Buffer {
  const out = new ByteWriter();
  packSketch(sketchOf(values), out);
  return out.take();
}

const SAMPLES = [
  [],
  [1],
  [1, 1, 1],
  [0, -1, 5, 1e300, 1e-300],
  Array.from({ length: 500 }, (_, i) => Math.exp(i / 20)),
];

const sketch: FuzzTarget = {
  name: 'sketch',
  seeds: () => SAMPLES.map(packed),
  run: (input) => {
    const read = parsed(['data_loss'], () => unpackSketch(input));
    const totals = parsed(['data_loss'], () => packedTotals(input));
    holds(
      (read === undefined) === (totals === undefined),
      () => 'totals of a sketch that is refused, or none of one that is not',
    );
    if (read === undefined) return;
    const out = new ByteWriter();
    packSketch(read, out);
    const again = unpackSketch(out.take());
    holds(again.count === read.count && Object.is(again.sum, read.sum), () => 'a packed sketch reads as another');
    parsed(['data_loss', 'invalid_argument', 'out_of_range', 'resource_exhausted'], () =>
      mergePacked(sketchOf([2]), input),
    );
  },
};

const officialSketch: FuzzTarget = {
  name: 'official-sketch',
  seeds: () => SAMPLES.map((values) => Buffer.from(toOfficialProtobuf(sketchOf(values)))),
  run: (input) => {
    parsed(['invalid_argument'], () => fromOfficialProtobuf(input));
  },
};

const hyperloglog: FuzzTarget = {
  name: 'hyperloglog',
  seeds: () =>
    [0, 3, 3000].map((count) => {
      const set = new HyperLogLog();
      for (let i = 0; i < count; i++) set.insertText(`member ${i}`);
      const out = new ByteWriter();
      packHyperLogLog(set, out);
      return out.take();
    }),
  maxBytes: 16_384,
  run: (input) => {
    const read = parsed(['data_loss'], () => unpackHyperLogLog(input));
    if (read === undefined) return;
    const out = new ByteWriter();
    packHyperLogLog(read, out);
    const again = out.take();
    const third = new ByteWriter();
    packHyperLogLog(unpackHyperLogLog(again), third);
    holds(third.take().equals(again), () => 'a packed set reads as another');
  },
};

function columnsOf(count: number): [PointColumns, SketchColumns] {
  const points = new PointColumns();
  for (let i = 0; i < count; i++) points.push(i >> 1, NOW_MS + i * 1000, i % 7 === 0 ? Math.sqrt(i) : i / 10);
  const sketches = new SketchColumns();
  for (let i = 0; i < count / 10; i++) sketches.push(i, NOW_MS + i, packed([i, i + 1]));
  return [points, sketches];
}

const share: FuzzTarget = {
  name: 'share',
  seeds: () =>
    [0, 1, 5, 300].map((count) => {
      const out = new ByteWriter();
      encodeShare(...columnsOf(count), out);
      return out.take();
    }),
  run: (input) => {
    const summary = parsed(['data_loss'], () => inspectShare(input));
    const [points, sketches] = [new PointColumns(), new SketchColumns()];
    const count = parsed(['data_loss'], () => decodeShare(input, points, sketches));
    if (summary === undefined) return;
    holds(count === summary.points + summary.sketches, () => 'an inspected share does not decode');
  },
};

const PAGE_SERIES = 5;
const kernel = new PageKernel();
const writer = new PageWriter(kernel);
const decoder = new PageDecoder(kernel, writer.freeAt + 1024 * 1024, 1024 * 1024);

/** A page of every kind of body, where each series has `count` points, and times that are in step, shifted or irregular. */
function pageOf(count: number): Buffer {
  const times = Float64Array.from({ length: count }, (_, i) => NOW_MS + i * 10_000);
  const shifted = times.map((timeMs) => timeMs + 1500);
  const irregular = times.map((timeMs, i) => timeMs + ((i * 7) % 13));
  const classes = [times, times, shifted, irregular, irregular].map((own) => writer.times.add(own, 0, count));
  const columns = [() => 4, (i: number) => (i % 9) / 100, (i: number) => 1e6 + i * 17, Math.sqrt];
  columns.forEach((column, i) => {
    const values = Float64Array.from({ length: count }, (_, k) => (k % 19 === 18 ? -0 : column(k)));
    writer.addValues(3 + 2 * i, classes[i], values, 0);
  });
  writer.addSketches(
    900,
    classes[PAGE_SERIES - 1],
    Array.from({ length: count }, (_, i) => packed([i])),
  );
  return writer.finish({ mapEpoch: 2, fromOffset: 10, toOffset: 30 });
}

function readPage(bytes: Buffer): void {
  const page = parsed(['data_loss'], () => new Page(bytes));
  if (page !== undefined) checkPage(page);
}

/** Checks the times of a page that was read, and decodes its values. */
export function checkPage(page: Page): void {
  for (let slot = 0; slot < page.slots; slot++) {
    const { times } = page;
    const timeClass = page.classOf(slot);
    const own = times.timesOf(timeClass).slice();
    holds(
      own.every((timeMs, i) => timeMs >= (own[i - 1] ?? page.minTimeMs) && timeMs <= page.maxTimeMs),
      () => 'times descend, or are not within those of the page',
    );
    const middleMs = own[own.length >> 1];
    const before = own.filter((timeMs) => timeMs < middleMs).length;
    holds(times.countBefore(timeClass, middleMs) === before, () => 'points before a time are miscounted');
    if (page.hasSketches(slot)) parsed(['data_loss'], () => page.sketchesOf(slot));
    else parsed(['data_loss'], () => decoder.decode(page, slot, decoder.freeAt));
  }
}

const page: FuzzTarget = {
  name: 'page',
  seeds: () => [1, 2, 200].map(pageOf),
  run: (input) => {
    decoder.clear();
    for (const bytes of [input, sealedAtEnd(input)]) readPage(bytes);
  },
};

const RECORD_COLUMNS = 3;

/** A times record of three columns of `count` times, and a page of a slot for each. */
function recordOf(count: number): { record: Uint8Array; page: Buffer } {
  const times = new TimesWriter({ deal: 1, originMs: NOW_MS }, 0, 1);
  for (let i = 0; i < RECORD_COLUMNS; i++) {
    const timesMs = Float64Array.from({ length: count }, (_, k) => NOW_MS + 1000 * i + 15_000 * k + ((k * k + i) % 7));
    const own = new SharedTimes(timesMs);
    writer.addValues(i, writer.times.addShared(own, times.placeOf(own)), new Float64Array(count), 0);
  }
  const bytes = writer.finish({ mapEpoch: 1, fromOffset: 0, toOffset: 1 });
  return { page: bytes, record: times.take()[0].bytes };
}

const { page: recordedPage } = recordOf(200);

const timesRecord: FuzzTarget = {
  name: 'times-record',
  seeds: () => [3, 20, 200].map((count) => Buffer.from(recordOf(count).record)),
  run: (input) => {
    for (const bytes of [input, sealedAtEnd(input)]) {
      const record = parsed(['data_loss'], () => new TimesRecord(bytes));
      if (record === undefined) continue;
      // Any record in the place of the page's is refused, or has times for all of its slots.
      const page = parsed(['data_loss'], () => new Page(recordedPage, () => record));
      if (page === undefined) continue;
      for (let slot = 0; slot < page.slots; slot++) {
        const { firstMs, lastMs, count } = page.times.at(page.classOf(slot));
        const own = page.times.timesOf(page.classOf(slot));
        holds(
          own.length === count && own[0] === firstMs && own[count - 1] === lastMs,
          () => 'a column has other times than its record says',
        );
      }
    }
  },
};

const PARTIAL_STEPS = 3;
const FOLD = spaceFoldOf(SPACE_FOLD.avg);

const groupPartial: FuzzTarget = {
  name: 'group-partial',
  seeds: () => {
    const { count, sum } = packPartial(new SpacePartial(FOLD, PARTIAL_STEPS));
    return [Buffer.concat([count, sum])];
  },
  run: (input) => {
    const half = PARTIAL_STEPS * 8;
    const empty = Buffer.alloc(0);
    const bytes = {
      ...packPartial(new SpacePartial(FOLD, PARTIAL_STEPS)),
      count: input.subarray(0, half),
      sum: input.subarray(half, 2 * half),
      sumRest: input.subarray(2 * half),
      sumScaled: (input[0] ?? 0) % 2 === 1,
      last: empty,
    };
    parsed(['data_loss'], () => unpackPartial(FOLD, PARTIAL_STEPS, bytes));
  },
};

export const DATA_FORMATS: readonly FuzzTarget[] = [
  bitmap,
  sketch,
  officialSketch,
  hyperloglog,
  share,
  page,
  timesRecord,
  groupPartial,
];
