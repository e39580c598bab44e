import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** When a scrape arrived and when its scraper closed the connection, by the exporter's monotonic clock, ms. */
interface TimedScrape {
  readonly beganMs: number;
  endedMs: number | undefined;
}

/** An exporter that times the scrapes it receives, so that a test can distinguish a loaded machine from a wrong product. */
export class TimedExporter {
  readonly #server: Server;
  readonly #intervalMs: number;
  readonly #scrapes: TimedScrape[] = [];
  #answered = 0;

  private constructor(intervalMs: number, bodyOf: (answer: number) => string | undefined, contentType: string) {
    this.#intervalMs = intervalMs;
    this.#server = createServer((request, response) => {
      const scrape: TimedScrape = { beganMs: performance.now(), endedMs: undefined };
      this.#scrapes.push(scrape);
      response.once('close', () => {
        scrape.endedMs = performance.now();
      });
      const body = bodyOf(this.#answered);
      if (body === undefined) {
        request.socket.destroy();
        return;
      }
      this.#answered++;
      // The response is not ended: the connection closes when the scraper has all of it, or no longer waits for it.
      response.writeHead(200, { 'content-type': contentType, 'content-length': Buffer.byteLength(body) }).write(body);
    });
  }

  /**
   * Listens for scrapes that are `intervalMs` apart. `bodyOf` makes the body of an answer, which are numbered from 0; the
   * connection is cut where it returns undefined.
   */
  static async listen(
    intervalMs: number,
    bodyOf: (answer: number) => string | undefined,
    contentType = 'text/plain; version=0.0.4',
  ): Promise<TimedExporter> {
    const exporter = new TimedExporter(intervalMs, bodyOf, contentType);
    await new Promise<void>((resolve) => exporter.#server.listen(0, '127.0.0.1', resolve));
    return exporter;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/metrics`;
  }

  /** Number of scrapes that were answered. */
  get answered(): number {
    return this.#answered;
  }

  /**
   * Returns how the machine disturbed the schedule: a scrape that arrived, or took, more than a fourth of the interval too
   * late. Two scrapes may then be in one second, or one may have failed. Undefined when none was.
   */
  disturbance(): string | undefined {
    const limitMs = this.#intervalMs / 4;
    for (const [i, { beganMs, endedMs = performance.now() }] of this.#scrapes.entries()) {
      const tookMs = endedMs - beganMs;
      if (tookMs > limitMs) return `scrape ${i} took ${Math.round(tookMs)} ms (limit: ${limitMs})`;
      const apartMs = i === 0 ? this.#intervalMs : beganMs - this.#scrapes[i - 1].beganMs;
      if (Math.abs(apartMs - this.#intervalMs) > limitMs) {
        return `scrapes ${i - 1} and ${i} were ${Math.round(apartMs)} ms apart (limit: ${this.#intervalMs} ± ${limitMs})`;
      }
    }
    return undefined;
  }

  /** Refuses further scrapes. Resolves when those in progress have ended. */
  close(): Promise<void> {
    return new Promise((resolve) => this.#server.close(() => resolve()));
  }
}
