import { isTidemarkError, type ObjectStore } from '@tidemark/ports';

/** The code of the error of a task, or what it threw instead. */
export async function codeOf(task: Promise<unknown>): Promise<string> {
  try {
    await task;
  } catch (error) {
    return isTidemarkError(error) ? error.code : String(error);
  }
  return 'no error';
}

export function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString();
}

export async function* streamOf(chunks: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* chunks;
}

/** The keys of all pages of a list. */
export async function keysOf(store: ObjectStore, prefix: string, limit?: number): Promise<string[]> {
  const keys: string[] = [];
  let startAfter: string | undefined;
  do {
    const page = await store.list(prefix, { startAfter, limit });
    keys.push(...page.objects.map(({ key }) => key));
    startAfter = page.next;
  } while (startAfter !== undefined);
  return keys;
}

/** How often a put is repeated that may have been refused, or applied and replaced. */
const ATTEMPTS = 20;

/** The code of a put whose condition does not hold, which can be repeated while its outcome is unknown. */
export async function refusalOf(put: () => Promise<unknown>): Promise<string> {
  let code = 'unavailable';
  for (let attempt = 0; code === 'unavailable' && attempt < ATTEMPTS; attempt++) code = await codeOf(put());
  return code;
}
