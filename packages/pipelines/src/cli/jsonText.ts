/** JSON has no NaN and no infinities: an answer has them as texts. */
const finite = (_: string, value: unknown): unknown =>
  typeof value === "number" && !Number.isFinite(value) ? String(value) : value

/** An answer as one JSON document. */
export const jsonText = (value: unknown): string => JSON.stringify(value, finite, 2)
