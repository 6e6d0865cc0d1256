import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect, test } from 'vitest'
import { openShop } from '../system/open-shop.ts'
import { fuzz, provideSchemathesis } from './schemathesis.ts'

/*
 * Thousands of requests that follow from the door's own contract, right and wrong: none of them breaks the shop, and no answer
 * is one that the contract does not know.
 */

/** Of each operation and phase; with them the whole is above the 5,000 cases of the goal. */
const EXAMPLES = 300
const CASES_MIN = 5000

test('whatever is sent to the door, the answer is one of its contract', async ({ onTestFinished }) => {
  const schemathesis = await provideSchemathesis()
  const shop = await openShop({ rabbitmq: true })
  const dir = mkdtempSync(path.join(tmpdir(), 'tideshop-fuzz-'))
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }))

  const seed = Number(process.env['FUZZ_SEED'] ?? Date.now() % 1_000_000)
  const report = await fuzz(schemathesis, shop.url, {
    examples: EXAMPLES,
    seed,
    reportFile: path.join(dir, 'report.json'),
  })

  expect({ seed, failures: report.failures, errors: report.errors }).toEqual({
    seed,
    failures: [],
    errors: [],
  })
  expect(report.operations.tested).toBe(report.operations.total)
  expect(report.test_cases.generated).toBeGreaterThanOrEqual(CASES_MIN)
})
