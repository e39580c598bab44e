import { type Disk, type Log, readSmallFile, TidemarkError, type Topic, writeSmallFile } from '@tidemark/ports';

/** Described in docs/operations/data-folder.md. */
const FILE = 'LOG-ID';
const VERSION = 1;
const LIMIT_BYTES = 256;

/**
 * Returns the id of the log whose offsets the stores of a data folder hold. The file is written at their first start,
 * before they read any record. A topic that was deleted and recreated while they were down has another id; reading it
 * from their offsets would omit its first records. A folder that is older than this file gets the current id of the
 * log. Errors: `data_loss` when the file is malformed, `failed_precondition` when it is of another topic or a newer
 * format; those of disk and log.
 */
export async function keptLogId(
  disk: Disk,
  log: Pick<Log, 'bounds'>,
  topic: Topic,
  partition: number,
): Promise<string | undefined> {
  const stored = await readSmallFile(disk, FILE, LIMIT_BYTES);
  if (stored !== undefined) return parse(stored.toString('latin1'), topic);
  const { id } = await log.bounds(topic, partition);
  if (id !== undefined) await writeSmallFile(disk, FILE, Buffer.from(`tidemark-log-id ${VERSION} ${topic} ${id}\n`));
  return id;
}

function parse(text: string, topic: Topic): string {
  const found = /^tidemark-log-id ([1-9][0-9]{0,8}) ([a-z]+) ([0-9A-Za-z_-]{1,64})\n$/.exec(text);
  if (found === null) throw new TidemarkError('data_loss', `${FILE} is malformed`, { file: FILE });
  const [, version, storedTopic, id] = found;
  if (Number(version) !== VERSION) {
    const message = `${FILE} has format ${version}, this program reads ${VERSION}`;
    throw new TidemarkError('failed_precondition', message, { version: Number(version) });
  }
  if (storedTopic !== topic) {
    throw new TidemarkError('failed_precondition', `the data folder holds ${storedTopic}, expected ${topic}`, {
      found: storedTopic,
      wanted: topic,
    });
  }
  return id;
}
