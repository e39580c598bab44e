import { isTidemarkError } from '@tidemark/ports';
import * as z from 'zod';
import { parseAddresses, parsePartitions, parsePlacement } from './parse-lists.ts';
import { SETTING_META, text, texts } from './setting.ts';

/** A text that is a list of `host:port`. */
export function addresses(maxBytes: number, description: string) {
  return parsed(maxBytes, description, parseAddresses);
}

/** A list of texts, each of which is a `host:port`. */
export function addressTexts(maxItems: number, maxBytes: number, description: string, more: { isMain?: boolean } = {}) {
  const list = texts(maxItems, maxBytes, description, more);
  return described(
    list.transform((given, context) => attempt(() => parseAddresses(given.join(',')), context)),
    list,
  );
}

/** A text that is a list of partitions; empty is none. */
export function partitions(maxBytes: number, description: string) {
  return parsed(maxBytes, description, (given) => (given === '' ? [] : parsePartitions(given)));
}

/** A text that says which process owns which partitions. */
export function placement(maxBytes: number, description: string) {
  return parsed(maxBytes, description, parsePlacement);
}

function parsed<T>(maxBytes: number, description: string, parse: (given: string) => readonly T[]) {
  const given = text('', maxBytes, description);
  return described(
    given.transform((value, context) => attempt(() => parse(value), context)),
    given,
  );
}

/** `schema` with the description of the setting that it was made from. */
function described<T extends z.ZodType>(schema: T, from: z.ZodType): T {
  const meta = SETTING_META.get(from);
  if (meta !== undefined) SETTING_META.add(schema, meta);
  return schema;
}

/** The result of `parse`, or an issue whose parameter `problem` says what is wrong, without the setting's key. */
function attempt<T>(parse: () => T, context: z.RefinementCtx): T {
  try {
    return parse();
  } catch (error) {
    if (!isTidemarkError(error)) throw error;
    context.addIssue({ code: 'custom', params: { problem: error.message } });
    return z.NEVER;
  }
}
