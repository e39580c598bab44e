// The npm package of the client library: JavaScript for Node 20 and later as ESM and as CommonJS, with declarations.
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { bundleCode, bundleDeclarations, installedVersionsOf } from './bundle.ts';
import { copyLicence, LICENCE_FILES } from './licence.ts';
import { packedReadme } from './packed-readme.ts';
import { root } from './root.ts';

const source = join(root, 'libs/collect/client');
/** The entry of the package. */
export const clientInput = { index: 'libs/collect/client/src/published.ts' };

/** Writes the files of the package into `folder`. */
export async function writeClientPackage(folder: string): Promise<void> {
  mkdirSync(folder, { recursive: true });
  const packages = await buildClient(join(folder, 'dist'));
  writeFileSync(join(folder, 'package.json'), `${JSON.stringify(clientManifest(packages), undefined, 2)}\n`);
  writeFileSync(join(folder, 'README.md'), packedReadme(readFileSync(join(source, 'README.md'), 'utf8')));
  copyLicence(folder);
}

/** Builds the code and the declarations into `folder`; returns the packages that they import. */
export async function buildClient(folder: string): Promise<ReadonlySet<string>> {
  const options = { input: clientInput, folder, target: 'node20', codeSplitting: false } as const;
  const packages = new Set([
    ...(await bundleCode({ ...options, format: 'es' })),
    ...(await bundleCode({ ...options, format: 'cjs' })),
  ]);
  await bundleDeclarations({ input: clientInput, folder, fileName: 'index.d.ts' });
  copyFileSync(join(folder, 'index.d.ts'), join(folder, 'index.d.cts'));
  return packages;
}

/** The manifest of the packed package: no workspace packages, and exports that are built. */
export function clientManifest(packages: ReadonlySet<string>): object {
  const { name, version, license, description, repository, keywords } = {
    ...JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')),
    ...JSON.parse(readFileSync(join(source, 'package.json'), 'utf8')),
  };
  return {
    name,
    version,
    description,
    license,
    repository,
    keywords,
    type: 'module',
    main: './dist/index.cjs',
    module: './dist/index.js',
    types: './dist/index.d.ts',
    exports: {
      '.': {
        import: { types: './dist/index.d.ts', default: './dist/index.js' },
        require: { types: './dist/index.d.cts', default: './dist/index.cjs' },
      },
      './package.json': './package.json',
    },
    files: ['dist', ...LICENCE_FILES],
    sideEffects: false,
    engines: { node: '>=20' },
    dependencies: installedVersionsOf(packages, '^'),
  };
}
