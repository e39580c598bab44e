/** Max bytes per record, independent of settings. A reader refuses a larger record before it allocates. */
export const MAX_RECORD_BYTES = 16 * 1024 * 1024;

/** Max refs per dictionary. It bounds what a small record can make a consumer allocate. */
export const DICTIONARY_REFS_LIMIT = 2 ** 23;
