import {
  DEFAULT_DOGSTATSD_LIMITS,
  DogStatsDParser,
  type ParserSink,
  REFUSALS,
  StatsdSeriesTable,
} from '@tidemark/dogstatsd';
import { StreamFraming } from '../../../libs/collect/dogstatsd/src/stream-framing.ts';
import { type FuzzTarget, holds } from '../target.ts';

const KEY = Buffer.alloc(16, 3);
const LINES = [
  'page.views:1|c',
  'fuel.level:0.5|g|#env:prod,host:a|T1656581400',
  'song.length:240:12:1e3|h|@0.5|c:in-1|e:it-2',
  'users:x:y|s|#a\nt:12|ms\r\nd:1e3|d|@0.1',
  'g:+5|g\ng:-5|g\ng:inf|g\nx:nan|c',
  '_e{5,4}:title|text|d:1656581400|h:host|p:low|t:error|#a:b',
  '_sc|service|1|d:1656581400|h:host|#a:b|m:message',
];

/** A sink that checks what the parser promises, and counts values of one metric. */
class CheckingSink implements ParserSink {
  values = 0;
  readonly #wanted: string;

  constructor(wanted: string) {
    this.#wanted = wanted;
  }

  value(series: Parameters<ParserSink['value']>[0], value: number, weight: number, timestampMs: number): void {
    holds(!Number.isNaN(value) && weight >= 1 && Number.isFinite(weight), () => `value ${value}, weight ${weight}`);
    holds(Number.isNaN(timestampMs) || timestampMs > 0, () => `timestamp ${timestampMs}`);
    if (series.metric === this.#wanted && value === 7) this.values++;
  }

  signedGauge(series: Parameters<ParserSink['value']>[0], value: number): void {
    this.value(series, value, 1, Number.NaN);
  }

  member(): void {}
  event(): void {}
  serviceCheck(): void {}

  refused(reason: (typeof REFUSALS)[number], bytes: Uint8Array, from: number, to: number): void {
    holds(REFUSALS.includes(reason), () => `unknown reason ${reason}`);
    holds(from >= 0 && to > from && to <= bytes.length, () => `line ${from} to ${to} of ${bytes.length} bytes`);
  }
}

const datagram: FuzzTarget = {
  name: 'dogstatsd',
  maxGrownBytes: DEFAULT_DOGSTATSD_LIMITS.datagramBytes,
  seeds: () => LINES.map((line) => Buffer.from(line)),
  tokens: [
    '|',
    ':',
    '#',
    '@',
    ',',
    '\n',
    '|c',
    '|g',
    '|h',
    '|d',
    '|s',
    '|ms',
    '|T',
    '|#',
    '|@0.1',
    '_e{',
    '_sc|',
    '}:',
    '+',
    '-',
    'e',
    '\u0000',
    '\u00e9',
    '9'.repeat(40),
  ],
  repeats: [
    ['_sc|a|1', '|#a|m:b', ''],
    ['_e{1,1}:a|b', '|h:a', ''],
    ['', '_e{x\n', ''],
    ['x:1|c|#a', ',a:b', ''],
  ],
  run: (input) => {
    const limits = DEFAULT_DOGSTATSD_LIMITS;
    const sink = new CheckingSink('good');
    // Good lines around the input stay good.
    const bytes = Buffer.concat([Buffer.from('good:7|g\n'), input, Buffer.from('\ngood:7|g')]);
    new DogStatsDParser(new StatsdSeriesTable(limits, KEY), sink, limits).parse(bytes);
    holds(sink.values >= 2, () => `${sink.values} of 2 good lines`);
  },
};

/** A stream, which arrives in parts: the lines are those that it has as a whole. */
const stream: FuzzTarget = {
  name: 'dogstatsd-stream',
  seeds: () => {
    const text = Buffer.from(LINES.join('\n'));
    const size = Buffer.alloc(4);
    size.writeUInt32LE(text.length);
    return [Buffer.concat([text, Buffer.from('\n')]), Buffer.concat([size, text, size, text])];
  },
  tokens: ['\n', '\u0000', '\u0001\u0000\u0000\u0000', ':1|c\n'],
  run: (input) => {
    const passed = (parts: readonly Buffer[]): string => {
      const out: string[] = [];
      const framing = new StreamFraming(
        {
          parse: (bytes: Uint8Array, from: number, to: number) => {
            out.push(Buffer.from(bytes.subarray(from, to)).toString('latin1'));
          },
          refused: (reason: string) => {
            out.push(reason);
          },
        } as never,
        DEFAULT_DOGSTATSD_LIMITS,
      );
      for (const part of parts) if (!framing.push(part)) return out.join('\n');
      framing.end();
      return out.join('\n');
    };
    const third = Math.floor(input.length / 3);
    const parts = [input.subarray(0, third), input.subarray(third, third + 1), input.subarray(third + 1)];
    holds(passed([input]) === passed(parts), () => 'a stream in parts has other lines than the whole');
  },
};

export const STATSD: readonly FuzzTarget[] = [datagram, stream];
