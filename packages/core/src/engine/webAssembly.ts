/** The part of JavaScript's WebAssembly interface that updates use: TypeScript has it in its browser libraries alone. */
export interface WasmMemory {
  readonly buffer: ArrayBuffer
}
export type WasmModule = object
interface WasmInstance {
  readonly exports: Readonly<Record<string, unknown>>
}
interface WasmApi {
  /** `initial` counts pages of 64 KiB. */
  readonly Memory: new (descriptor: {
    readonly initial: number
  }) => WasmMemory
  readonly Module: new (bytes: Uint8Array) => WasmModule
  readonly Instance: new (
    module: WasmModule,
    imports: Readonly<Record<string, Readonly<Record<string, WasmMemory>>>>,
  ) => WasmInstance
}

declare global {
  var WebAssembly: WasmApi
}

export const { Memory, Module, Instance } = globalThis.WebAssembly
