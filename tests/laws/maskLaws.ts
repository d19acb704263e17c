export { type MaskedLoss, type MaskLawsOptions, maskLaws, weighed } from "@millrace/core/laws"
