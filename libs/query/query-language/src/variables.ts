import { TidemarkError } from '@tidemark/ports';

/** Values of template variables by name, without the `$`: one, or several of which any may hold. */
export type Variables = Readonly<Record<string, string | readonly string[]>>;

export const NO_VARIABLES: Variables = {};

const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;
const MAX_VARIABLES = 50;
const MAX_NAME = 100;
const MAX_VALUES = 100;
/** Code units; as long as a tag may be. */
const MAX_VALUE = 200;

/** Throws `invalid_argument` that names the first variable that is wrong. parse.test.ts covers it. */
export function checkVariables(variables: Variables): void {
  const names = Object.keys(variables);
  if (names.length > MAX_VARIABLES) throw refusal('variables', String(names.length), `at most ${MAX_VARIABLES}`);
  for (const name of names) {
    if (!NAME.test(name) || name.length > MAX_NAME) {
      const limit = `a letter or _, then letters, digits and _, ${MAX_NAME} characters`;
      throw refusal('variables', JSON.stringify(name.slice(0, MAX_NAME)), limit);
    }
    const values = valuesOf(variables, name);
    if (values.length === 0 || values.length > MAX_VALUES) {
      throw refusal(`variables.${name}`, `${values.length} values`, `1 to ${MAX_VALUES}`);
    }
    for (const value of values) checkValue(name, value);
  }
}

/** The values of a variable, each once. */
export function valuesOf(variables: Variables, name: string): readonly string[] {
  const value = variables[name];
  return typeof value === 'string' ? [value] : [...new Set(value)];
}

function checkValue(name: string, value: string): void {
  if (value === '' || value.length > MAX_VALUE || /\p{Cc}/u.test(value) || !value.isWellFormed()) {
    const found = JSON.stringify(value.slice(0, MAX_VALUE));
    throw refusal(`variables.${name}`, found, `1 to ${MAX_VALUE} characters, no control character`);
  }
}

/** The tag that `$name` stands for: `name:value`, the value itself when it is a tag, or `*` for all. */
export function tagOfVariable(name: string, value: string): string {
  return value === '*' || value.includes(':') ? value : `${name}:${value}`;
}

function refusal(field: string, found: string, limit: string): TidemarkError {
  return new TidemarkError('invalid_argument', `${field}: ${found} (limit: ${limit})`, { field, limit });
}
