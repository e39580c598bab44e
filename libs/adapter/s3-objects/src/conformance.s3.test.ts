import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { objectStoreConformance, testSeed } from '@tidemark/conformance';
import { SystemRandom } from '@tidemark/node-runtime';
import type { ObjectStore } from '@tidemark/ports';
import { type S3Fault, S3FaultProxy, S3Server } from '@tidemark/s3-server';
import { S3_START_MS, s3Suite } from '@tidemark/s3-server/testing';
import { SeededRandom } from '@tidemark/simulation';
import { openS3Objects, type S3Options } from './index.ts';

/** More than one part of the smallest allowed size. */
const LARGE_BYTES = 5 * 2 ** 20 + 100_000;
const RUNS = 6;
const BUCKET = 'conformance';
/** Behind faults a request needs more attempts than the default. */
const ATTEMPTS = 12;
const FAULTS: readonly S3Fault[] = ['slow-down', 'reset', 'lost-reply', 'cut'];
const FAULT_RATE = 0.06;

await s3Suite('the S3 adapter on a real server', () => {
  let server: S3Server;
  let proxy: S3FaultProxy;
  let count = 0;

  beforeAll(async () => {
    server = await S3Server.start();
    await server.makeBucket(BUCKET);
    proxy = await S3FaultProxy.open(server.endpoint);
  }, S3_START_MS);

  afterAll(async () => {
    await proxy?.close();
    await server?.close();
  });

  /** Each case has a prefix of its own. */
  async function setUp(options: Partial<S3Options> = {}) {
    const prefix = `case-${count++}/`;
    const { endpoint, credentials } = server;
    const limits = { partBytes: 5 * 2 ** 20, ...options.limits };
    const all = { bucket: BUCKET, prefix, endpoint, credentials, ...options, limits };
    const opened: ObjectStore[] = [];
    return {
      async open() {
        const store = await openS3Objects(all, new SystemRandom());
        opened.push(store);
        return store;
      },
      async dispose() {
        for (const store of opened) await store.close();
      },
    };
  }

  const size = { largeBytes: LARGE_BYTES, runs: RUNS };
  objectStoreConformance('S3', () => setUp(), size);
  objectStoreConformance('S3 without checksum headers', () => setUp({ checksums: false }), size);

  const seed = testSeed();
  const random = new SeededRandom(seed);
  objectStoreConformance(
    'S3, behind faults',
    async () => {
      proxy.pick = ({ path }) => {
        // Only what is below the bucket: other requests have no retry of their own.
        if (!path.includes('case-') || random.next() >= FAULT_RATE) return undefined;
        return FAULTS[Math.floor(random.next() * FAULTS.length)];
      };
      return setUp({ endpoint: proxy.endpoint, limits: { attempts: ATTEMPTS } });
    },
    { largeBytes: LARGE_BYTES, runs: 2 },
  );

  test(`every fault happened (seed ${seed})`, () => {
    expect([...proxy.counts.keys()].sort()).toEqual([...FAULTS].sort());
  });
});
