import { type Disk, readSmallFile, TidemarkError, writeSmallFile } from '@tidemark/ports';
import { TOPICS } from './partition-set.ts';
import { FORMAT_VERSION } from './segment-format.ts';

const FORMAT_FILE = 'FORMAT';
/** The file as an operator sees it. */
const SHOWN_FILE = `log/${FORMAT_FILE}`;
const LINE = `tidemark-log ${FORMAT_VERSION}`;
const FORMAT_LIMIT_BYTES = 64;

/**
 * Checks the format of a folder, and writes the format file of a new folder. `failed_precondition` for another format, or
 * when a folder with partitions has no format file; `data_loss` when the file is malformed.
 */
export async function claimFormat(disk: Disk): Promise<void> {
  const version = await readFormat(disk);
  if (version === undefined) {
    await refusePartitions(disk);
    await writeFormat(disk);
  } else if (version !== FORMAT_VERSION) throw otherFormat(version);
}

/** The file is durable before the first partition is made, so in a folder with partitions a missing one was removed. */
async function refusePartitions(disk: Disk): Promise<void> {
  for (const topic of TOPICS) {
    const partition = (await disk.list(topic)).find((name) => /^[0-9]+$/.test(name));
    if (partition === undefined) continue;
    const found = `${SHOWN_FILE} is missing, but log/${topic}/${partition} exists`;
    const message = `${found}: restore the file from a copy, or, if this program wrote the folder, write the line "${LINE}" to it`;
    throw new TidemarkError('failed_precondition', message, { file: FORMAT_FILE, topic, partition: Number(partition) });
  }
}

async function readFormat(disk: Disk): Promise<number | undefined> {
  const text = (await readSmallFile(disk, FORMAT_FILE, FORMAT_LIMIT_BYTES))?.toString('latin1');
  if (text === undefined) return undefined;
  const match = /^tidemark-log ([1-9][0-9]{0,8})\n$/.exec(text);
  if (match === null) {
    const message = `${SHOWN_FILE} is malformed: expected the line "${LINE}"; write it, or restore the file from a copy`;
    throw new TidemarkError('data_loss', message, { file: FORMAT_FILE });
  }
  return Number(match[1]);
}

async function writeFormat(disk: Disk): Promise<void> {
  await writeSmallFile(disk, FORMAT_FILE, Buffer.from(`${LINE}\n`));
}

function otherFormat(version: number): TidemarkError {
  const found = `${SHOWN_FILE} has log format ${version}, this program reads ${FORMAT_VERSION}`;
  const message = `${found}: start the program of that format, or, if the file is damaged, restore it from a copy`;
  return new TidemarkError('failed_precondition', message, { file: FORMAT_FILE, version, supported: FORMAT_VERSION });
}
