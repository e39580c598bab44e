import { S3Client, type ServiceInputTypes, type ServiceOutputTypes } from '@aws-sdk/client-s3';
import { dropBody } from './s3-body.ts';
import { type Asked, type Place, s3Error } from './s3-error.ts';
import { DEFAULT_S3_LIMITS, type S3Limits, type S3Options } from './s3-options.ts';

type Command<I extends ServiceInputTypes, O extends ServiceOutputTypes> = Parameters<
  typeof S3Client.prototype.send<I, O>
>[0];

/** The client of one bucket. It retries, bounds the time of each request, and turns errors into those of the port. */
export class S3Connection {
  readonly limits: S3Limits;
  readonly place: Place;
  readonly #client: S3Client;

  constructor(options: S3Options) {
    const { bucket, prefix = '', endpoint, pathStyle = endpoint !== undefined, credentials } = options;
    const region = options.region ?? (endpoint === undefined ? undefined : 'us-east-1');
    this.limits = { ...DEFAULT_S3_LIMITS, ...options.limits };
    this.place = { bucket, prefix, endpoint: endpoint ?? 'the endpoint of its region' };
    const { attempts, connectMs, requestMs, connections } = this.limits;
    this.#client = new S3Client({
      ...(endpoint === undefined ? {} : { endpoint }),
      ...(region === undefined ? {} : { region }),
      ...(credentials === undefined ? {} : { credentials }),
      forcePathStyle: pathStyle,
      maxAttempts: attempts,
      retryMode: 'standard',
      // This package computes and compares CRC-32C, also where the server does not.
      requestChecksumCalculation: 'WHEN_REQUIRED',
      responseChecksumValidation: 'WHEN_REQUIRED',
      requestHandler: {
        connectionTimeout: connectMs,
        requestTimeout: requestMs,
        socketTimeout: requestMs,
        throwOnRequestTimeout: true,
        httpAgent: { keepAlive: true, maxSockets: connections },
        httpsAgent: { keepAlive: true, maxSockets: connections },
      },
    });
    // The SDK's own option for it would compute the checksum of each body again, in JavaScript.
    this.#client.middlewareStack.add(
      (next) => (args) => {
        const isWhole = !('Range' in args.input) && 'Key' in args.input;
        const { method, headers } = args.request as { method: string; headers: Record<string, string> };
        if (isWhole && (method === 'GET' || method === 'HEAD')) headers['x-amz-checksum-mode'] = 'ENABLED';
        return next(args);
      },
      { step: 'build', name: 'askForChecksum' },
    );
  }

  /**
   * Runs one request and `use` of its answer, such as reading a body, within `operationMs`. Throws the reason of `signal`,
   * and otherwise errors of the port.
   */
  async send<I extends ServiceInputTypes, O extends ServiceOutputTypes, T = O>(
    command: Command<I, O>,
    asked: Asked,
    signal?: AbortSignal,
    use?: (answer: O, signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    signal?.throwIfAborted();
    const timeout = AbortSignal.timeout(this.limits.operationMs);
    const either = signal === undefined ? timeout : AbortSignal.any([signal, timeout]);
    try {
      const answer = await this.#client.send(command, { abortSignal: either });
      if (use === undefined) return answer as unknown as T;
      return await use(answer, either).finally(() => dropBody((answer as { Body?: unknown }).Body));
    } catch (error) {
      signal?.throwIfAborted();
      throw s3Error(error, asked, this.place, timeout.aborted ? this.limits.operationMs : undefined);
    }
  }

  close(): void {
    this.#client.destroy();
  }
}
