import type { StatedMetric } from '@tidemark/contract';
import type { MetricStatements } from './metric-statements.ts';
import type { SessionOwner } from './session-owner.ts';
import type { SessionStream } from './session-stream.ts';

/** Max metrics of a message, and about its size in bytes. */
const MESSAGE_METRICS = 1000;
const MESSAGE_BYTES = 128 * 1024;

/** Sends what the program says of metrics: all of it on a new stream, and what has changed on one that has it. */
export class StatementReport {
  readonly #owner: SessionOwner;
  readonly #statements: MetricStatements;
  #stream: SessionStream | undefined;
  /** Under another map a metric may belong to a partition that does not know it. */
  #epoch: number | undefined;
  #sent = 0;

  constructor(owner: SessionOwner, statements: MetricStatements) {
    this.#owner = owner;
    this.#statements = statements;
  }

  /** Sends what the stream lacks, as long as it is writable. */
  sendDue(stream: SessionStream, epoch: number | undefined): void {
    if (!this.#owner.isLive()) return;
    if (stream !== this.#stream || epoch !== this.#epoch) this.#sent = 0;
    this.#stream = stream;
    this.#epoch = epoch;
    while (stream.writable && this.#sent < this.#statements.changes) {
      const metrics = this.#next(Math.min(MESSAGE_BYTES, stream.maxMessageBytes / 2));
      stream.send({ message: { $case: 'statements', value: { metrics } } });
    }
  }

  /** The next ones that fit in a message. */
  #next(limitBytes: number): StatedMetric[] {
    const metrics: StatedMetric[] = [];
    let sizeBytes = 0;
    for (const { metric, statement, change } of this.#statements.since(this.#sent)) {
      const { unit = '', description = '' } = statement;
      // A code unit takes at most three bytes of UTF-8.
      sizeBytes += 32 + (metric.length + unit.length + description.length) * 3;
      if (metrics.length > 0 && (metrics.length >= MESSAGE_METRICS || sizeBytes > limitBytes)) break;
      metrics.push({ metric, statement });
      this.#sent = change;
    }
    return metrics;
  }
}
