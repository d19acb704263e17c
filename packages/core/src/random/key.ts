/** A key of the counter-based generator: 64 bits. Split it by name; never use one key for two purposes. */
export interface Key {
  readonly hi: number
  readonly lo: number
}
