/** A reporter that ends a run with one plain line of its counts: `12 passed, 0 failed, 1 skipped`. */
import type { Reporter, TestModule } from "vitest/node"

export default class ClosingLine implements Reporter {
  onTestRunEnd(modules: ReadonlyArray<TestModule>, unhandled: ReadonlyArray<unknown>): void {
    let [passed, failed, skipped] = [0, unhandled.length, 0]
    for (const module of modules) {
      // A file that does not load runs no test, and that is a failure too.
      failed += module.errors().length
      for (const test of module.children.allTests()) {
        const { state } = test.result()
        if (state === "passed") passed++
        else if (state === "failed") failed++
        else skipped++
      }
    }
    // After the other reporters' summaries.
    process.once("exit", () => {
      process.stdout.write(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}\n`)
    })
  }
}
