// Bundles TypeScript of this repository, with all of its own packages, into JavaScript for a given Node.
import { existsSync, readFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { join } from 'node:path';
import { rolldown } from 'rolldown';
import { dts } from 'rolldown-plugin-dts';
import { root } from './root.ts';

const rootManifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

/** Paths of this repository, by the name of the output. */
export type Input = Readonly<Record<string, string>>;

export interface CodeOptions {
  readonly input: Input;
  readonly folder: string;
  readonly format: 'es' | 'cjs';
  /** `node20`, `node22` … */
  readonly target: string;
  readonly codeSplitting?: boolean;
}

/** Own packages are on no registry, so they are bundled; others stay dependencies. */
function isExternal(id: string): boolean {
  return !id.startsWith('.') && !id.startsWith('/') && !id.startsWith('@tidemark/');
}

/**
 * Bundles `input` (paths by output name) for Node `target` into `folder`, as `format` `es` or `cjs`. Returns the names of
 * the packages that the bundle imports.
 */
export async function bundleCode(options: CodeOptions): Promise<string[]> {
  const { input, folder, format, target, codeSplitting = true } = options;
  const bundle = await rolldown({
    input: absolute(input),
    external: isExternal,
    platform: 'node',
    // A module of this repository whose exports nobody uses does nothing: contracts of other services are left out.
    treeshake: { moduleSideEffects: false },
    transform: { target },
  });
  const extension = format === 'es' ? 'js' : 'cjs';
  const names = { entryFileNames: `[name].${extension}`, chunkFileNames: `[name]-[hash].${extension}` };
  const { output } = await bundle.write({ dir: folder, format, ...names, codeSplitting });
  await bundle.close();
  const imported = output.flatMap((file) => (file.type === 'chunk' ? [...file.imports, ...file.dynamicImports] : []));
  return [...new Set(imported.filter((id) => isExternal(id) && !isBuiltin(id)).map(packageOf))];
}

/** Bundles the declarations of `input` into one file, without what is marked `@internal`. */
export async function bundleDeclarations(options: { input: Input; folder: string; fileName: string }): Promise<void> {
  const { input, folder, fileName } = options;
  const tsconfig = join(root, 'tools/packages/tsconfig.declarations.json');
  const bundle = await rolldown({
    input: absolute(input),
    external: isExternal,
    platform: 'node',
    plugins: [dts({ dtsOnly: true, tsconfig })],
    checks: { pluginTimings: false },
  });
  await bundle.write({ dir: folder, format: 'es', entryFileNames: fileName });
  await bundle.close();
}

/** The version that this repository is tested with, of each package. */
export function versionsOf(packages: Iterable<string>, prefix = ''): Record<string, string> {
  const entries = [...packages].sort().map((name) => {
    const version = rootManifest.dependencies[name];
    if (version === undefined) throw new Error(`package.json: no dependency ${name}, which the bundle imports`);
    return [name, `${prefix}${version}`];
  });
  return Object.fromEntries(entries);
}

/** The licence's text, once the repository has it. */
export function licenceFile(): string | undefined {
  const file = join(root, 'LICENSE');
  return existsSync(file) ? file : undefined;
}

function absolute(input: Input): Record<string, string> {
  return Object.fromEntries(Object.entries(input).map(([name, path]) => [name, join(root, path)]));
}

function isBuiltin(id: string): boolean {
  return id.startsWith('node:') || builtinModules.includes(id);
}

/** `@a/b` of `@a/b/c`, and `a` of `a/b`. */
function packageOf(id: string): string {
  const parts = id.split('/');
  return parts.slice(0, id.startsWith('@') ? 2 : 1).join('/');
}
