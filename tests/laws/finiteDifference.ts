export { expectGradient, finiteDifference } from "@millrace/core/laws"
