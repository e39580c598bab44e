import type { ObjectOptions, ObjectPage, ObjectStore } from './object-store.ts';

/** The objects whose keys begin with `prefix`, in the order of keys, page by page. Errors: those of `list`. */
export async function* listedObjects(
  objects: Pick<ObjectStore, 'list'>,
  prefix: string,
  options: ObjectOptions = {},
): AsyncGenerator<ObjectPage['objects'][number]> {
  let startAfter: string | undefined;
  do {
    const page: ObjectPage = await objects.list(prefix, {
      ...options,
      ...(startAfter !== undefined && { startAfter }),
    });
    yield* page.objects;
    startAfter = page.next;
  } while (startAfter !== undefined);
}
