import { assert } from '@tidemark/ports';
import * as z from 'zod';

/** The description of a value; the reference of all settings is rendered from it. */
export interface ValueMeta {
  readonly description: string;
  /** Of numbers: `ms`, `bytes`, `points` …; empty for others. */
  readonly unit: string;
  readonly range: string;
  readonly kind: 'number' | 'text' | 'boolean' | 'list';
  readonly default: number | string | boolean | readonly [];
  /** `range` lists the allowed words. */
  readonly isChoice?: boolean;
  /** The value is required in each item of a list. */
  readonly isNeeded?: boolean;
}

export interface SettingMeta extends ValueMeta {
  /** Of a list of objects: the values of each object, by name. Undefined for lists of texts. */
  readonly items?: Readonly<Record<string, ValueMeta>>;
  /** Flag without dashes; by default group and name in kebab case. */
  readonly flag?: string;
  /** Environment variable without its prefix; by default the flag in capitals. */
  readonly variable?: string;
  /** The flag and the variable mean `false` when they are given. */
  readonly isNegated?: boolean;
  /** The description of the flag in the help, where it differs from that of the setting. */
  readonly flagDescription?: string;
  /** The setting has no flag, because every user can read command lines, and no message shows its value. */
  readonly isSecret?: boolean;
  /** Shown by `tidemark start --help`. */
  readonly isMain?: boolean;
}

export const SETTING_META = z.registry<SettingMeta>();

type Spelling = Pick<SettingMeta, 'flag' | 'variable' | 'isNegated' | 'flagDescription' | 'isMain' | 'isSecret'>;

/** A whole number in [min, max]. */
export function whole(value: number, unit: string, min: number, max: number, description: string, more: Spelling = {}) {
  const range = `${min} to ${max}`;
  return z
    .number()
    .int()
    .min(min)
    .max(max)
    .default(value)
    .register(SETTING_META, { description, unit, range, kind: 'number', default: value, ...more });
}

/** A number above `min` and up to `max`. */
export function fraction(value: number, unit: string, min: number, max: number, description: string) {
  const range = `above ${min}, up to ${max}`;
  return z
    .number()
    .gt(min)
    .max(max)
    .default(value)
    .register(SETTING_META, { description, unit, range, kind: 'number', default: value });
}

/** A text of at most `maxBytes` bytes; empty texts are allowed when `value` is one. */
export function text(value: string, maxBytes: number, description: string, more: Spelling = {}) {
  const min = value === '' ? 0 : 1;
  const range = `${min} to ${maxBytes} bytes`;
  return z
    .string()
    .refine((given) => Buffer.byteLength(given) >= min && Buffer.byteLength(given) <= maxBytes)
    .default(value)
    .register(SETTING_META, { description, unit: '', range, kind: 'text', default: value, ...more });
}

/** A required text of 1 to `maxBytes` bytes, in an item of a list. */
export function needed(maxBytes: number, description: string) {
  const range = `1 to ${maxBytes} bytes`;
  return z
    .string()
    .refine((given) => given !== '' && Buffer.byteLength(given) <= maxBytes)
    .register(SETTING_META, { description, unit: '', range, kind: 'text', default: '', isNeeded: true });
}

/** A list of texts, separated by commas in a flag or a variable. */
export function texts(maxItems: number, maxBytes: number, description: string, more: Spelling = {}) {
  const range = `at most ${maxItems}, each of 1 to ${maxBytes} bytes`;
  return z
    .array(z.string().refine((given) => given !== '' && Buffer.byteLength(given) <= maxBytes))
    .max(maxItems)
    .default([])
    .register(SETTING_META, { description, unit: '', range, kind: 'list', default: [], ...more });
}

/** A list of objects with settings of their own; in a flag or a variable it is JSON, as in the file. */
export function items<T extends Readonly<Record<string, z.ZodType>>>(
  shape: T,
  maxItems: number,
  description: string,
  more: Spelling = {},
) {
  const metas = Object.entries(shape).map(([name, leaf]): [string, ValueMeta] => {
    const meta = SETTING_META.get(leaf);
    assert(meta !== undefined, `${name} is described`);
    return [name, meta];
  });
  return z
    .array(z.strictObject(shape))
    .max(maxItems)
    .default([])
    .register(SETTING_META, {
      description,
      unit: '',
      range: `at most ${maxItems} objects`,
      kind: 'list',
      default: [],
      items: Object.fromEntries(metas),
      ...more,
    });
}

/** One of the given words. */
export function choice<const T extends string>(
  value: NoInfer<T>,
  words: readonly T[],
  description: string,
  more: Spelling = {},
) {
  const range = words.join(', ');
  return z
    .enum(words)
    .default(value as never)
    .register(SETTING_META, { description, unit: '', range, kind: 'text', isChoice: true, default: value, ...more });
}

/** True or false. */
export function yesOrNo(value: boolean, description: string, more: Spelling = {}) {
  return z
    .boolean()
    .default(value)
    .register(SETTING_META, {
      description,
      unit: '',
      range: 'true, false',
      kind: 'boolean',
      isChoice: true,
      default: value,
      ...more,
    });
}

export const KIB = 1024;
export const MIB = 1024 * KIB;
export const GIB = 1024 * MIB;
