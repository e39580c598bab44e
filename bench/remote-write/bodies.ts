import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  renameSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ByteWriter } from '@tidemark/bytes';
import { compressSync } from 'snappy';
import { METRICS } from '../data/hosts.ts';
import { labelFields } from '../data/labelled-series.ts';
import { SeriesValues } from '../data/series-values.ts';
import { appendSample, appendSeries } from './encode.ts';

export interface BodiesOptions {
  readonly series: number;
  /** Number of samples per series. */
  readonly rounds: number;
  /** Number of samples per body, each of a different series, as in live traffic. */
  readonly bodySamples: number;
  readonly startMs: number;
  readonly stepMs: number;
  readonly seed: number;
}

/** Encoded bodies in a file, round by round. Body `g` has the same series in every round. */
export interface Bodies {
  readonly file: string;
  readonly bodiesPerRound: number;
  /** Size of each body in order, bytes. */
  readonly lengths: readonly number[];
}

/** Returns the bodies of these options: those of an earlier run, or newly encoded ones. The encoding is not timed. */
export function benchBodies(options: BodiesOptions): Bodies {
  const { series, rounds, bodySamples, startMs, stepMs, seed } = options;
  const folder = join(tmpdir(), 'tidemark-bench-bodies');
  const file = join(folder, `s${series}-r${rounds}-b${bodySamples}-${startMs}-${stepMs}-seed${seed}.bin`);
  const index = `${file}.json`;
  if (existsSync(index)) return { file, ...JSON.parse(readFileSync(index, 'utf8')) };
  mkdirSync(folder, { recursive: true });
  const labels = Array.from({ length: series }, (_, i) => labelFields(i));
  const values = new SeriesValues(
    Uint32Array.from({ length: series }, (_, i) => i % METRICS),
    seed,
  );
  const lengths: number[] = [];
  const raw = new ByteWriter(bodySamples * 320);
  const sample = new ByteWriter();
  const out = openSync(`${file}.part`, 'w');
  for (let round = 0; round < rounds; round++) {
    for (let from = 0; from < series; from += bodySamples) {
      raw.reset();
      for (let i = from; i < Math.min(series, from + bodySamples); i++) {
        sample.reset();
        appendSample(sample, startMs + round * stepMs, values.next(i));
        appendSeries(raw, labels[i], sample);
      }
      const body = compressSync(raw.view());
      writeSync(out, body);
      lengths.push(body.length);
    }
  }
  closeSync(out);
  renameSync(`${file}.part`, file);
  const known = { bodiesPerRound: Math.ceil(series / bodySamples), lengths };
  writeFileSync(index, JSON.stringify(known));
  return { file, ...known };
}

/** Reads the bodies of a file. */
export class BodyReader {
  readonly #bodies: Bodies;
  readonly #fd: number;
  readonly #starts: Float64Array;

  constructor(bodies: Bodies) {
    this.#bodies = bodies;
    this.#fd = openSync(bodies.file, 'r');
    this.#starts = new Float64Array(bodies.lengths.length);
    for (let i = 1; i < this.#starts.length; i++) this.#starts[i] = this.#starts[i - 1] + bodies.lengths[i - 1];
  }

  read(index: number): Buffer {
    const body = Buffer.allocUnsafe(this.#bodies.lengths[index]);
    readSync(this.#fd, body, 0, body.length, this.#starts[index]);
    return body;
  }
}
