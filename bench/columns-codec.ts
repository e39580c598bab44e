/**
 * Rates and sizes of the codecs of shares and pages, on generated metrics: 40% counters, 40% gauges of one or two
 * decimals, 20% constants, metric by metric, as a share has them.
 *
 *   node bench/columns-codec.ts [seconds per figure]
 */
import { ByteWriter } from '../libs/base/bytes/src/index.ts';
import { decodeShare, encodeShare, inspectShare, PointColumns, SketchColumns } from '../libs/data/columns/src/index.ts';
import { PAGE_SLOTS_LIMIT, Page, PageDecoder, PageKernel, PageWriter } from '../libs/data/page/src/index.ts';
import { mulberry32 } from './data/mulberry32.ts';

const SERIES_PER_METRIC = 250;
const SHARE_SERIES = 25_000;
const PAGE_SERIES = 2_048;
const START_MS = 1_700_000_000_000;
const STEP_MS = 10_000;
const SEED = 20_240_817;

const secondsPerFigure = Number(process.argv[2] ?? 1);

type Series = () => number;

/** Counters with increments of 0 to 2s, sometimes none. s is 1 to `fastest`, different for each series. */
function counter(next: () => number, fastest: number): Series {
  const speed = Math.floor(fastest ** next());
  let value = Math.floor(next() * 1e6);
  return () => {
    if (next() > 1 / 8) value += Math.floor(next() * (2 * speed + 1));
    return value;
  };
}

/** A random walk around a base between 0 and 100, with one or two decimals. */
function gauge(next: () => number, digits: number): Series {
  const power = 10 ** digits;
  const base = next() * 100;
  const width = 0.2 + 3 * next();
  let value = base;
  return () => {
    value += 0.1 * (base - value) + (next() + next() - 1) * width;
    return Math.round(Math.min(100, Math.max(0, value)) * power) / power;
  };
}

function constant(next: () => number): Series {
  const value = [0, 1, 1, 4, 8, 1024][Math.floor(next() * 6)];
  return () => value;
}

function series(count: number, fastest: number): Series[] {
  const next = mulberry32(SEED);
  return Array.from({ length: count }, (_, i) => {
    const kind = Math.floor(i / SERIES_PER_METRIC) % 5;
    if (kind < 2) return counter(next, fastest);
    return kind < 4 ? gauge(next, kind - 1) : constant(next);
  });
}

/** Measures the points per second of `work`, which handles `points` points, after a warm-up. */
function rate(points: number, work: () => void): number {
  const until = (seconds: number): number => {
    const start = process.cpuUsage();
    const deadline = performance.now() + 1000 * seconds;
    let turns = 0;
    for (; performance.now() < deadline; turns++) work();
    const { user, system } = process.cpuUsage(start);
    return (turns * points * 1e6) / (user + system);
  };
  until(secondsPerFigure / 2);
  return until(secondsPerFigure);
}

function print(name: string, bytesPerPoint: number, rates: Record<string, number>): void {
  const figures = Object.entries(rates).map(([what, value]) => `${what} ${(value / 1e6).toFixed(0)} M/s`);
  console.log(`${name.padEnd(44)} ${bytesPerPoint.toFixed(3)} B/point  ${figures.join('  ')}`);
}

function benchShare(name: string, points: PointColumns): void {
  const out = new ByteWriter();
  encodeShare(points, undefined, out);
  const bytes = out.take();
  const back = new PointColumns(points.length);
  const sketches = new SketchColumns();
  print(name, bytes.length / points.length, {
    encode: rate(points.length, () => {
      out.reset();
      encodeShare(points, undefined, out);
    }),
    inspect: rate(points.length, () => inspectShare(bytes)),
    decode: rate(points.length, () => {
      back.clear();
      decodeShare(bytes, back, sketches);
    }),
  });
}

function sharePoints(list: Series[], rounds: number, skipped: number): PointColumns {
  for (let i = 0; i < skipped; i++) for (const next of list) next();
  const points = new PointColumns();
  list.forEach((next, ref) => {
    for (let i = 0; i < rounds; i++) points.push(ref, START_MS + i * STEP_MS, next());
  });
  return points;
}

function benchPage(name: string, list: Series[], length: number): void {
  const columns = list.map((next) => Float64Array.from({ length }, () => next()));
  const points = columns.length * length;
  const writer = new PageWriter(new PageKernel());
  const decoder = new PageDecoder(new PageKernel());
  const source = { mapEpoch: 1, fromOffset: 0, toOffset: 1 };
  const encodeAll = (each: (page: Buffer) => void): void => {
    for (let from = 0; from < columns.length; from += PAGE_SLOTS_LIMIT) {
      for (let i = from; i < from + PAGE_SLOTS_LIMIT; i++) {
        writer.addValues(i, writer.times.addRegular(START_MS, STEP_MS, length), columns[i], 0);
      }
      each(writer.finish(source));
    }
  };
  const pages: Buffer[] = [];
  encodeAll((page) => pages.push(page));
  const size = pages.reduce((sum, page) => sum + page.length, 0);
  print(name, size / points, {
    encode: rate(points, () => encodeAll(() => undefined)),
    decode: rate(points, () => {
      decoder.clear();
      for (const bytes of pages) {
        const page = new Page(bytes);
        for (let slot = 0; slot < page.slots; slot++) decoder.decode(page, slot, decoder.freeAt);
      }
    }),
  });
}

console.log(`Node ${process.version}, one thread; rates are points per CPU second; seed ${SEED}`);
benchShare('share, 25,000 series, one time', sharePoints(series(SHARE_SERIES, 3000), 1, 0));
benchShare('share, the same an hour later', sharePoints(series(SHARE_SERIES, 3000), 1, 360));
benchShare('share, 2,500 series, ten times each', sharePoints(series(SHARE_SERIES / 10, 3000), 10, 0));
benchShare(
  'share, 20 series, one time',
  sharePoints(
    series(SHARE_SERIES, 3000).filter((_, i) => i % 1250 === 7),
    1,
    0,
  ),
);
const next = mulberry32(SEED);
benchShare(
  'share, full float64',
  sharePoints(
    Array.from({ length: SHARE_SERIES }, () => () => next() + next() / 2 ** 32),
    1,
    0,
  ),
);
benchShare(
  'share, float32',
  sharePoints(
    Array.from({ length: SHARE_SERIES }, () => () => Math.fround(next())),
    1,
    0,
  ),
);
for (const fastest of [50, 3000]) {
  for (const length of [20, 60, 160, 360]) {
    const name = `page, ${length} times, increments up to ${2 * fastest}`;
    benchPage(name, series(PAGE_SERIES, fastest), length);
  }
}
