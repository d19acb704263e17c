/** A seed as it is typed: a whole number is a number; anything else is a text, which is a seed too. */
export const seedOf = (text: string): bigint | string => (/^-?\d{1,18}$/.test(text) ? BigInt(text) : text)
