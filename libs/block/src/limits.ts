/** No record is larger than this, whatever the settings say; a reader refuses before it allocates. */
export const MAX_RECORD_BYTES = 16 * 1024 * 1024;
