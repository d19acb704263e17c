/** Rows of tokens in JSON. */
import { Schema } from "effect"

const isToken = (value: number): boolean => Number.isInteger(value) && value >= 0 && value < 2 ** 31

/** Tokens as numbers: one check a row, since there are millions. */
export const TokenRow = Schema.Array(Schema.Number).check(
  Schema.makeFilter((row) => {
    const wrong = row.find((value) => !isToken(value))
    return wrong === undefined ? undefined : `whole numbers from 0 to 2^31 - 1 alone, without ${wrong}`
  }),
)
