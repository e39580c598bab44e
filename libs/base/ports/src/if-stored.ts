import { isTidemarkError } from './error.ts';

/** The result of a task on an object; undefined where the object does not exist. */
export async function ifStored<T>(task: Promise<T>): Promise<T | undefined> {
  try {
    return await task;
  } catch (error) {
    if (isTidemarkError(error, 'not_found')) return undefined;
    throw error;
  }
}
