/** The part of WebAssembly that this library uses. The types of the language and of Node lack it. */
// biome-ignore lint/style/noNamespace: the language's global is one.
declare namespace WebAssembly {
  class Module {
    constructor(bytes: Uint8Array);
  }
  class Memory {
    constructor(descriptor: { initial: number; maximum?: number });
    readonly buffer: ArrayBuffer;
    /** Adds pages of 64 KiB and detaches the earlier buffer. */
    grow(pages: number): number;
  }
  class Instance {
    constructor(module: Module, imports: { readonly [module: string]: { readonly [name: string]: Memory } });
    readonly exports: unknown;
  }
}
