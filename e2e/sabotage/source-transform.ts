// The transformer of jest under a sabotage: that of all tests, with one source file changed.
import { createRequire } from 'node:module';
import { SOURCE_SABOTAGES } from './source-sabotages.ts';

/** What jest asks of a transformer, as far as it is used here. */
interface Transformer {
  process(source: string, path: string, options: unknown): unknown;
  getCacheKey(source: string, path: string, options: unknown): string;
}

const { createTransformer: createOwn } = createRequire(import.meta.url)('@swc/jest') as {
  readonly createTransformer: (options: unknown) => Transformer;
};
const name = process.env.TIDEMARK_SABOTAGE;
const sabotage = SOURCE_SABOTAGES.find((one) => one.name === name);
if (sabotage === undefined) throw new Error(`there is no sabotage ${name}`);

export function createTransformer(options: unknown): Transformer {
  const own = createOwn(options);
  return {
    ...own,
    process: (source, path, how) => own.process(changed(source, path), path, how),
    getCacheKey: (source, path, how) => own.getCacheKey(changed(source, path), path, how),
  };
}

function changed(source: string, path: string): string {
  if (sabotage === undefined || !path.endsWith(`/${sabotage.file}`)) return source;
  return source.replace(sabotage.find, () => sabotage.replace);
}
