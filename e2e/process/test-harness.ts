import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Client, type ConnectOptions, connect } from '@tidemark/client';
import type { PlatformSettings } from './messages.ts';
import { type LaunchOptions, PlatformUnderTest } from './platform-under-test.ts';

/** Processes and folders of a test. `clear` ends and deletes all of them, also after a failure. */
export class TestHarness {
  readonly #ends: (() => Promise<unknown>)[] = [];
  readonly #folders: string[] = [];

  async folder(): Promise<string> {
    const folder = await mkdtemp(join(tmpdir(), 'tidemark-e2e-'));
    this.#folders.push(folder);
    return folder;
  }

  /** Starts a platform, in a new folder by default. */
  async platform(settings: Partial<PlatformSettings> = {}, options?: LaunchOptions): Promise<PlatformUnderTest> {
    const folder = settings.folder ?? (await this.folder());
    const starting = PlatformUnderTest.start({ ...settings, folder }, options);
    // `clear` must also end a platform that is still starting when the test times out.
    this.#ends.push(async () => (await starting.catch(() => undefined))?.kill9());
    return starting;
  }

  /** Connects a client without automatic flushes by default. */
  async client(address: string, options: Partial<ConnectOptions> = {}): Promise<Client> {
    const client = await connect({
      address,
      name: 'test',
      flushIntervalMs: 0,
      backoffMs: 20,
      maxBackoffMs: 100,
      closeTimeoutMs: 0,
      ...options,
    });
    this.#ends.push(() => client.close());
    return client;
  }

  onClear(end: () => Promise<unknown>): void {
    this.#ends.push(end);
  }

  async clear(): Promise<void> {
    for (const end of this.#ends.splice(0).reverse()) await end();
    for (const folder of this.#folders.splice(0)) await rm(folder, { recursive: true, force: true });
  }
}
