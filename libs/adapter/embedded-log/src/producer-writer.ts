import { crc32c } from '@tidemark/bytes';
import { type Appended, isTidemarkError, type LogWriter, TidemarkError } from '@tidemark/ports';
import type { ProducerState } from './producer-table.ts';

/** A record that waits for its group, or whose group is in flight to the disk. */
export interface PendingAppend {
  readonly state: ProducerState;
  readonly sequence: number;
  readonly value: Uint8Array;
  readonly valueCrc: number;
  /** The space of the log that is reserved for the record. */
  readonly reservedBytes: number;
  resolve(appended: Appended): void;
  reject(error: TidemarkError): void;
}

/** The partition as its writers use it. */
export interface AppendQueue {
  readonly name: string;
  /** Queues a record. When it throws, nothing of the record is stored. */
  enqueue(state: ProducerState, sequence: number, value: Uint8Array, valueCrc: number): Promise<Appended>;
}

interface Outstanding {
  readonly sequence: number;
  readonly valueCrc: number;
  readonly valueBytes: number;
  readonly done: Promise<Appended>;
}

/** The append of one producer that is in flight; shared by all writers of that producer. */
export interface ProducerFlight {
  outstanding: Outstanding | undefined;
  /** The sequence whose last attempt may or may not have been stored; -1 when there is none. */
  unknownSequence: number;
}

/** A writer that can be resumed after a restart by its identity. */
export class ProducerWriter implements LogWriter {
  /** Identity of 16 bytes. With it `EmbeddedLog.resumeWriter` continues where this writer stopped. */
  readonly producer: Uint8Array;
  readonly #queue: AppendQueue;
  readonly #state: ProducerState;
  readonly #flight: ProducerFlight;

  constructor(queue: AppendQueue, state: ProducerState, flight: ProducerFlight) {
    this.producer = state.producer;
    this.#queue = queue;
    this.#state = state;
    this.#flight = flight;
  }

  /** Appends a value, as the port says. `value` must not change before the append is settled. */
  async append(sequence: number, value: Uint8Array): Promise<Appended> {
    const valueCrc = crc32c(value);
    const { outstanding } = this.#flight;
    if (outstanding !== undefined) {
      if (sequence !== outstanding.sequence) {
        throw this.#refuse(sequence, `sequence ${outstanding.sequence} is still outstanding`);
      }
      if (valueCrc !== outstanding.valueCrc || value.length !== outstanding.valueBytes) throw this.#other(sequence);
      return outstanding.done;
    }
    const state = this.#state;
    if (sequence === state.sequence) {
      if (valueCrc !== state.valueCrc || value.length !== state.valueBytes) throw this.#other(sequence);
      return { offset: state.offset, appendTimeMs: state.appendTimeMs };
    }
    if (sequence !== state.sequence + 1) throw this.#refuse(sequence, `sequence ${state.sequence + 1} is expected`);
    const done = this.#queue.enqueue(state, sequence, value, valueCrc);
    this.#flight.outstanding = { sequence, valueCrc, valueBytes: value.length, done };
    try {
      return await done;
    } catch (error) {
      throw this.#settleFailure(sequence, error);
    } finally {
      this.#flight.outstanding = undefined;
    }
  }

  /** Keeps the outcome unknown after an attempt that was not stored, if an earlier attempt may have been stored. */
  #settleFailure(sequence: number, error: unknown): unknown {
    if (isTidemarkError(error, 'unavailable')) this.#flight.unknownSequence = sequence;
    if (!isTidemarkError(error, 'resource_exhausted') || this.#flight.unknownSequence !== sequence) return error;
    return new TidemarkError('unavailable', error.message, error.detail, { cause: error });
  }

  #other(sequence: number): TidemarkError {
    return this.#refuse(sequence, 'another value has that sequence');
  }

  #refuse(sequence: number, why: string): TidemarkError {
    return new TidemarkError('failed_precondition', `sequence ${sequence} to ${this.#queue.name} is refused: ${why}`, {
      sequence,
      stored: this.#state.sequence,
    });
  }
}
