import { Agent, request } from 'node:http';

const REPLY_BYTES = 64 * 1024 * 1024;
const FIRST_PAUSE_MS = 20;
const MAX_PAUSE_MS = 1000;

export interface Written {
  readonly retries: number;
  /** Time from sending the body to its answer, without retries, ms. */
  readonly lastMs: number;
}

/** Asks over kept connections, with as little work of its own as possible. */
export class HttpClient {
  readonly #agent: Agent;

  constructor(connections: number) {
    this.#agent = new Agent({ keepAlive: true, maxSockets: connections });
  }

  /** Returns the body of a 2xx answer. */
  get(url: string): Promise<string> {
    return this.#ask(url, 'GET', {});
  }

  /** Sends a remote-write body until it is accepted. Retries because of back-pressure; any other error is thrown. */
  async write(url: string, body: Buffer, more: Readonly<Record<string, string>> = {}): Promise<Written> {
    const headers = {
      'content-type': 'application/x-protobuf',
      'content-encoding': 'snappy',
      'x-prometheus-remote-write-version': '0.1.0',
      'content-length': body.length,
      ...more,
    };
    for (let retries = 0; ; retries++) {
      const startMs = performance.now();
      try {
        await this.#ask(url, 'POST', headers, body);
        return { retries, lastMs: performance.now() - startMs };
      } catch (error) {
        if (!(error instanceof RefusedError) || ![429, 503].includes(error.status)) throw error;
      }
      await new Promise((resolve) => setTimeout(resolve, Math.min(MAX_PAUSE_MS, FIRST_PAUSE_MS * 2 ** retries)));
    }
  }

  close(): void {
    this.#agent.destroy();
  }

  #ask(url: string, method: string, headers: Record<string, string | number>, body?: Buffer): Promise<string> {
    return new Promise((resolve, reject) => {
      const call = request(url, { method, agent: this.#agent, headers }, (response) => {
        const parts: Buffer[] = [];
        let length = 0;
        response.on('data', (part: Buffer) => {
          parts.push(part);
          length += part.length;
          if (length > REPLY_BYTES) call.destroy(new Error(`${url} answered more than ${REPLY_BYTES} bytes`));
        });
        response.on('end', () => {
          const text = Buffer.concat(parts).toString();
          const status = response.statusCode ?? 0;
          if (status >= 200 && status < 300) resolve(text);
          else reject(new RefusedError(status, `${url} answered ${status}: ${text.slice(0, 500)}`));
        });
        response.on('error', reject);
      });
      call.on('error', reject);
      call.end(body);
    });
  }
}

class RefusedError extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}
