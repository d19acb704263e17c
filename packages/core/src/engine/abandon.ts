/** Arrays that nothing refers to any more. Runs in the engine's child. */

/** Bytes that may lie about: the memory of an array does not count where V8 decides when to collect. */
const patience = 2 ** 28
let abandoned = 0

/** Says that so many bytes are garbage; collects it when there is much of it. */
export const abandon = (bytes: number): void => {
  abandoned += bytes
  if (abandoned >= patience) collect()
}

/** Collects all garbage: before something large, in whose way it would be. */
export const collect = (): void => {
  abandoned = 0
  globalThis.gc?.()
}
