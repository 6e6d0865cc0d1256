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
const EXAMPLES = 130
const CASES_MIN = 5000

test('whatever is sent to the door, the answer is one of its contract', async ({ onTestFinished }) => {
  const schemathesis = await provideSchemathesis()
  const shop = await openShop({ rabbitmq: true, issuer: true })
  const dir = mkdtempSync(path.join(tmpdir(), 'tideshop-fuzz-'))
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }))

  const seed = Number(process.env['FUZZ_SEED'] ?? Date.now() % 1_000_000)
  const report = await fuzz(schemathesis, shop.url, {
    examples: EXAMPLES,
    seed,
    reportFile: path.join(dir, 'report.json'),
    // Not of an administrator, who might close the shop for maintenance.
    headers: { Authorization: `Bearer ${await supportToken(shop.issuerUrl)}` },
  })

  expect({ seed, failures: report.failures, errors: report.errors }).toEqual({
    seed,
    failures: [],
    errors: [],
  })
  expect(report.operations.tested).toBe(report.operations.total)
  expect(report.test_cases.generated).toBeGreaterThanOrEqual(CASES_MIN)
})

async function supportToken(issuer: string): Promise<string> {
  const response = await fetch(`${issuer}/token`, {
    method: 'POST',
    headers: { authorization: `Basic ${btoa('support:for-development-only')}` },
    body: new URLSearchParams({ grant_type: 'client_credentials' }),
  })
  const { access_token: token } = (await response.json()) as { access_token: string }
  return token
}
