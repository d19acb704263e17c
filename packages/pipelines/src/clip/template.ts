import { Schema } from "effect"

/** A prompt of a class: `a photo of a {}`, where `{}` is its name. */
export const Template = Schema.String.check(
  Schema.makeFilter((template) => (template.includes("{}") ? undefined : `"${template}" must have {} for the name`)),
)
