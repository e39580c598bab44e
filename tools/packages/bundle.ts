// Bundles TypeScript of this repository, with all of its own packages, into JavaScript for a given Node.
import { readFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { dirname, join } from 'node:path';
import { type Plugin, rolldown } from 'rolldown';
import { dts } from 'rolldown-plugin-dts';
import { root } from './root.ts';

/** Paths of this repository, by the name of the output. */
export type Input = Readonly<Record<string, string>>;

export interface CodeOptions {
  readonly input: Input;
  readonly folder: string;
  readonly format: 'es' | 'cjs';
  /** `node20`, `node22` … */
  readonly target: string;
  readonly codeSplitting?: boolean;
  /** True for a program: its modules have side effects, and `main` is executable. */
  readonly isProgram?: boolean;
}

/** True for packages that stay dependencies. The project's own packages are on no registry, so they are bundled. */
function isExternal(id: string): boolean {
  return !id.startsWith('.') && !id.startsWith('/') && !id.startsWith('@tidemark/');
}

/**
 * Bundles `input` (paths by output name) for Node `target` into `folder`, as `format` `es` or `cjs`. Returns the names of
 * the packages that the bundle imports.
 */
export async function bundleCode(options: CodeOptions): Promise<string[]> {
  const { input, folder, format, target, codeSplitting = true, isProgram = false } = options;
  const bundle = await rolldown({
    input: absolute(input),
    external: isExternal,
    platform: 'node',
    plugins: isProgram ? [workerEntries()] : [],
    // A module of a library does nothing when its exports are unused: contracts of other services are left out.
    treeshake: { moduleSideEffects: isProgram },
    transform: { target },
  });
  const extension = format === 'es' ? 'js' : 'cjs';
  const names = {
    entryFileNames: `[name].${extension}`,
    chunkFileNames: `[name]-[hash].${extension}`,
    banner: (chunk: { readonly name: string }) => (isProgram && chunk.name === 'main' ? '#!/usr/bin/env node' : ''),
  };
  const { output } = await bundle.write({ dir: folder, format, ...names, codeSplitting });
  await bundle.close();
  const imported = output.flatMap((file) => (file.type === 'chunk' ? [...file.imports, ...file.dynamicImports] : []));
  const own = new Set(output.map(({ fileName }) => fileName));
  return [...new Set(imported.filter((id) => !own.has(id) && isExternal(id) && !isBuiltin(id)).map(packageOf))];
}

/** Leaves out the plugin's warning about the compiler that this repository uses on purpose. */
const logger = {
  info: (...parts: unknown[]) => console.info(...parts),
  warn: (...parts: unknown[]) => {
    if (!/`tsgo` generator .* is deprecated/.test(String(parts[0]))) console.warn(...parts);
  },
  error: (...parts: unknown[]) => console.error(...parts),
};

/** Bundles the declarations of `input` into one file, without what is marked `@internal`. */
export async function bundleDeclarations(options: { input: Input; folder: string; fileName: string }): Promise<void> {
  const { input, folder, fileName } = options;
  const tsconfig = join(root, 'tools/packages/tsconfig.declarations.json');
  const bundle = await rolldown({
    input: absolute(input),
    external: isExternal,
    platform: 'node',
    plugins: [dts({ dtsOnly: true, tsconfig, logger })],
    checks: { pluginTimings: false },
  });
  await bundle.write({ dir: folder, format: 'es', entryFileNames: fileName });
  await bundle.close();
}

/** Bundles each `new URL('./file.ts', import.meta.url)`, such as a worker, into a file of its own. */
function workerEntries(): Plugin {
  const pattern = /new URL\('\.\/([\w-]+)\.ts', import\.meta\.url\)/g;
  return {
    name: 'worker-entries',
    transform(code, id) {
      if (!/\.ts$/.test(id) || id.includes('/node_modules/')) return undefined;
      const found = [...code.matchAll(pattern)];
      if (found.length === 0) return undefined;
      for (const [, name] of found) {
        this.emitFile({ type: 'chunk', id: join(dirname(id), `${name}.ts`), fileName: `${name}.js` });
      }
      return code.replace(pattern, "new URL('./$1.js', import.meta.url)");
    },
  };
}

/** The version of each package that is installed here, and so tested with, behind `prefix`: '' is exactly this one. */
export function installedVersionsOf(packages: Iterable<string>, prefix = ''): Record<string, string> {
  const entries = [...packages].sort().map((name) => {
    const { version } = JSON.parse(readFileSync(join(root, 'node_modules', name, 'package.json'), 'utf8'));
    return [name, `${prefix}${version}`];
  });
  return Object.fromEntries(entries);
}

function absolute(input: Input): Record<string, string> {
  return Object.fromEntries(Object.entries(input).map(([name, path]) => [name, join(root, path)]));
}

function isBuiltin(id: string): boolean {
  return id.startsWith('node:') || builtinModules.includes(id);
}

/** Returns `@a/b` of `@a/b/c`, and `a` of `a/b`. */
function packageOf(id: string): string {
  const parts = id.split('/');
  return parts.slice(0, id.startsWith('@') ? 2 : 1).join('/');
}
