/** A reporter that ends a run with one plain line of its counts: `12 passed, 0 failed, 1 skipped`, and with what it did without. */
import type { Reporter, TestModule } from "vitest/node"

declare module "vitest" {
  interface TaskMeta {
    /** An engine that this machine does not have. */
    notRun?: string
  }
}

export default class ClosingLine implements Reporter {
  onTestRunEnd(modules: ReadonlyArray<TestModule>, unhandled: ReadonlyArray<unknown>): void {
    let [passed, failed, skipped] = [0, unhandled.length, 0]
    const notRun = new Set<string>()
    for (const module of modules) {
      // A file that does not load runs no test, and that is a failure too.
      failed += module.errors().length
      for (const test of module.children.allTests()) {
        const { state } = test.result()
        const { notRun: engine } = test.meta()
        if (engine !== undefined) notRun.add(engine)
        if (state === "passed") passed++
        else if (state === "failed") failed++
        else skipped++
      }
    }
    // After the other reporters' summaries.
    process.once("exit", () => {
      for (const engine of notRun) process.stdout.write(`not run, since it is not installed here: ${engine}\n`)
      process.stdout.write(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}\n`)
    })
  }
}
