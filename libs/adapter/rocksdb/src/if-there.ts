import { systemCode } from '@tidemark/ports';

/** The result of a task on a file; undefined where the file does not exist. */
export async function ifThere<T>(task: Promise<T>): Promise<T | undefined> {
  try {
    return await task;
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}
