import { type ErrorCode, isTidemarkError, type Random } from '@tidemark/ports';
import type { Growth } from './growth.ts';

/** A parser, or an address that takes bytes, with what must hold for any input. */
export interface FuzzTarget {
  /** Name for the command line, and of the folder of its corpus. */
  readonly name: string;
  /** Valid inputs, made by the encoders: mutations begin with them and with the corpus. */
  readonly seeds: () => readonly Uint8Array[] | Promise<readonly Uint8Array[]>;
  /** Words of the format, which mutations insert. */
  readonly tokens?: readonly string[];
  /** Parses an input. Returns for any input that is taken or refused as it should be; throws for anything else. */
  readonly run: (input: Buffer) => void | Promise<void>;
  /** Longest input, bytes. Default: 4,096. */
  readonly maxBytes?: number;
  /** Longest input that senders may send at once, bytes: costs are compared up to it. Default: 256 KiB. */
  readonly maxGrownBytes?: number;
  /**
   * CPU time from which a large input is slow, ms per MiB, where 250 ms is never slow. Default: 5,000. Where it is stated, costs
   * are not compared with those of small inputs: for a parser whose cost is linear from some length on.
   */
  readonly maxMsPerMebibyte?: number;
  /** How an input is made longer to compare costs. Default: bytes of it are repeated in their place. */
  readonly growth?: (input: Buffer, random: Random) => Growth;
  /** Text before, within and after the part that is repeated: what once cost more than its bytes justify. */
  readonly repeats?: readonly (readonly [head: string, part: string, tail: string])[];
  /** Bytes that an input of any size may allocate. Default: 32 MiB. */
  readonly baseBytes?: number;
  /** Starts what `run` needs, such as a server. Returns how to end it. */
  readonly open?: () => Promise<() => Promise<void>>;
  /** Runs whole platforms or sockets: costs are not compared, as they are those of another process. */
  readonly isRemote?: boolean;
}

/** An input for which something does not hold that must. */
export class Violation extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'Violation';
  }
}

export function holds(condition: boolean, message: () => string): asserts condition {
  if (!condition) throw new Violation(message());
}

/** Runs a parser. Returns undefined when it refuses the input by an error of one of `codes`; other errors pass. */
export function parsed<T>(codes: readonly ErrorCode[], parse: () => T): T | undefined {
  try {
    return parse();
  } catch (error) {
    if (isTidemarkError(error) && codes.includes(error.code)) return undefined;
    throw error;
  }
}

/** Runs an asynchronous parser as `parsed` does. */
export async function parsedLater<T>(codes: readonly ErrorCode[], parse: () => Promise<T>): Promise<T | undefined> {
  try {
    return await parse();
  } catch (error) {
    if (isTidemarkError(error) && codes.includes(error.code)) return undefined;
    throw error;
  }
}
