import type { ObjectPage, ObjectStore } from './object-store.ts';

/** An object of a list. */
export type ListedObject = ObjectPage['objects'][number];

/** The objects whose keys begin with `prefix`, in the order of their bytes, page by page. Errors: those of `list`. */
export async function* listedObjects(
  objects: Pick<ObjectStore, 'list'>,
  prefix: string,
  { signal }: { readonly signal?: AbortSignal | undefined } = {},
): AsyncGenerator<ListedObject> {
  let startAfter: string | undefined;
  do {
    const after = startAfter === undefined ? {} : { startAfter };
    const page: ObjectPage = await objects.list(prefix, { ...after, ...(signal && { signal }) });
    yield* page.objects;
    startAfter = page.next;
  } while (startAfter !== undefined);
}
