// Preloaded into the platform (`--import`): each thread writes its memory after a collection of garbage, in bytes, to the
// file that PROBE_FILE names, one JSON line per PROBE_MS. `rss` is of the whole process.
import { appendFileSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { threadId } from 'node:worker_threads';

const { PROBE_FILE, PROBE_MS } = process.env;
if (PROBE_FILE !== undefined) {
  setFlagsFromString('--expose-gc');
  const gc = runInNewContext('gc');
  setInterval(() => {
    gc();
    const { rss, heapUsed, external } = process.memoryUsage();
    appendFileSync(PROBE_FILE, `${JSON.stringify({ thread: threadId, rss, heapUsed, external })}\n`);
  }, Number(PROBE_MS)).unref();
}
