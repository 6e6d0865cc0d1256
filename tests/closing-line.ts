import type { Reporter, TestModule } from 'vitest/node'

/** Ends the run with the one line that CI reads: `N passed, N failed`. */
export function closingLine(): Reporter {
  return {
    onTestRunEnd(modules, unhandledErrors) {
      const tests = modules.flatMap((module) => [...module.children.allTests()])
      const passed = tests.filter((test) => test.result().state === 'passed').length
      const skipped = tests.filter((test) => test.result().state === 'skipped').length
      const failed =
        tests.filter((test) => test.result().state === 'failed').length +
        modules.filter(brokeBeforeItsTests).length +
        unhandledErrors.length
      const tail = skipped > 0 ? `, ${skipped} skipped` : ''
      // A reporter writes to the terminal: that is its work.
      process.stdout.write(`\n${passed} passed, ${failed} failed${tail}\n`)
    },
  }
}

/** A file that could not even be loaded holds no failed test, but it is a failure. */
function brokeBeforeItsTests(module: TestModule): boolean {
  return module.errors().length > 0
}
