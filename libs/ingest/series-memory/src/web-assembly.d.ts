/** What this library uses of WebAssembly, which the types of neither the language nor of Node say. */
// biome-ignore lint/style/noNamespace: the language's global is one.
declare namespace WebAssembly {
  class Module {
    constructor(bytes: Uint8Array);
  }
  class Memory {
    constructor(descriptor: { initial: number; maximum?: number });
    readonly buffer: ArrayBuffer;
    /** Adds pages of 64 KiB; detaches the buffer of before. */
    grow(pages: number): number;
  }
  class Instance {
    constructor(module: Module, imports: { readonly [module: string]: { readonly [name: string]: Memory } });
    readonly exports: unknown;
  }
}
