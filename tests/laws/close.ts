export { expectClose, expectSame, expectThat, type Tolerance, values } from "@millrace/core/laws"
