import type { Reporter, TestModule, TestSuite } from 'vitest/node'

/** Ends the run with the one line that CI reads: `N passed, N failed`. */
export function closingLine(): Reporter {
  return {
    onTestRunEnd(modules, unhandledErrors) {
      const tests = modules.flatMap((module) => [...module.children.allTests()])
      const passed = tests.filter((test) => test.result().state === 'passed').length
      const skipped = tests.filter((test) => test.result().state === 'skipped').length
      const failed =
        tests.filter((test) => test.result().state === 'failed').length +
        modules.flatMap((module) => [module, ...module.children.allSuites()]).filter(brokeByItself).length +
        unhandledErrors.length
      const tail = skipped > 0 ? `, ${skipped} skipped` : ''
      // A reporter writes to the terminal: that is its work.
      process.stdout.write(`\n${passed} passed, ${failed} failed${tail}\n`)
    },
  }
}

/** What could not be loaded, or prepared (`beforeAll`), holds no failed test, but it is a failure. */
function brokeByItself(group: TestModule | TestSuite): boolean {
  return group.errors().length > 0
}
