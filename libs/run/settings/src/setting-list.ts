import { assert } from '@tidemark/ports';
import { GROUPS } from './schema.ts';
import { SETTING_META, type SettingMeta } from './setting.ts';

/** One setting with all its spellings. */
export interface Setting extends SettingMeta {
  readonly group: string;
  readonly name: string;
  /** As in the settings file: `http.port`. */
  readonly key: string;
  /** `http-port`, without its dashes. */
  readonly flag: string;
  /** `TIDEMARK_HTTP_PORT`. */
  readonly variable: string;
}

/** Every setting, in the order of the reference. */
export const SETTINGS: readonly Setting[] = Object.entries(GROUPS).flatMap(([group, { schema }]) =>
  Object.entries(schema.shape).map(([name, leaf]) => {
    const meta = SETTING_META.get(leaf);
    assert(meta !== undefined, `${group}.${name} is described`);
    const flag = meta.flag ?? kebab(`${group}-${name}`);
    const variable = `TIDEMARK_${(meta.variable ?? flag).replaceAll('-', '_').toUpperCase()}`;
    return { ...meta, group, name, key: `${group}.${name}`, flag, variable };
  }),
);

function kebab(text: string): string {
  return text.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}
