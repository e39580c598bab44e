import { urlOf } from '@tidemark/openmetrics/scrape-target';
import { isTidemarkError } from '@tidemark/ports';
import * as z from 'zod';
import { parseAddresses, parseOptionalAddress, parsePartitions, parsePlacement } from './parse-lists.ts';
import { needed, SETTING_META, text, texts } from './setting.ts';

/** A setting whose text is a list of `host:port`. */
export function addresses(maxBytes: number, description: string) {
  return parsed(maxBytes, description, parseAddresses);
}

/** A setting whose text is one `host:port`, or empty: a list of at most one address. */
export function optionalAddress(maxBytes: number, description: string) {
  return parsed(maxBytes, description, parseOptionalAddress);
}

/** A setting that is a list of texts, each of which is a `host:port`. */
export function addressTexts(maxItems: number, maxBytes: number, description: string, more: { isMain?: boolean } = {}) {
  const list = texts(maxItems, maxBytes, description, more);
  return described(
    list.transform((given, context) => attempt(() => parseAddresses(given.join(',')), context)),
    list,
  );
}

/** A setting whose text is a list of partitions; empty means none. */
export function partitions(maxBytes: number, description: string) {
  return parsed(maxBytes, description, (given) => (given === '' ? [] : parsePartitions(given)));
}

/** A setting whose text lists processes and the partitions that each owns. */
export function placement(maxBytes: number, description: string) {
  return parsed(maxBytes, description, parsePlacement);
}

/** The required URL of a scrape target, in an item of a list. */
export function scrapeUrl(maxBytes: number, description: string) {
  const url = needed(maxBytes, description);
  return described(
    url.transform((given, context) => {
      attempt(() => urlOf({ url: given }), context);
      return given;
    }),
    url,
  );
}

function parsed<T>(maxBytes: number, description: string, parse: (given: string) => readonly T[]) {
  const given = text('', maxBytes, description);
  return described(
    given.transform((value, context) => attempt(() => parse(value), context)),
    given,
  );
}

/** Returns `schema` with the description of the setting that it was made from. */
function described<T extends z.ZodType>(schema: T, from: z.ZodType): T {
  const meta = SETTING_META.get(from);
  if (meta !== undefined) SETTING_META.add(schema, meta);
  return schema;
}

/**
 * Returns the result of `parse`, or adds an issue whose parameter `problem` has the message without the setting's key.
 */
function attempt<T>(parse: () => T, context: z.RefinementCtx): T {
  try {
    return parse();
  } catch (error) {
    if (!isTidemarkError(error)) throw error;
    context.addIssue({ code: 'custom', params: { problem: error.message } });
    return z.NEVER;
  }
}
