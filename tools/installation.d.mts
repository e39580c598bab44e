export type Npm = (args: readonly string[], root: string) => { readonly status: number | null };

export function install(root: string, level: 'run' | 'full', npm?: Npm): void;
export function deleteUnused(modules: string, platform: string): void;
