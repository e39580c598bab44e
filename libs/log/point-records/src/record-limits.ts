/** No record is larger than this, whatever the settings say; a reader refuses before it allocates. */
export const MAX_RECORD_BYTES = 16 * 1024 * 1024;

/** Refs of one dictionary: it bounds what a few bytes can make a consumer allocate. */
export const DICTIONARY_REFS_LIMIT = 2 ** 23;
