import { SAGA } from '@tideshop/run/shop'
import { expect, test } from 'vitest'
import { tellViolations, timesOf } from '../chaos/report.ts'
import { runChaos } from '../chaos/run.ts'
import { openShop } from './open-shop.ts'

const shop = await openShop({ only: SAGA })

/** `pnpm chaos --kills 60 --seed 15` is the same schedule, with its progress. */
const plan = { seed: 15, kills: 60, callers: 10, perSecond: 30 }
/** Far above what it takes on a machine that has nothing else to do (docs/reliability.md): this is no benchmark. */
const RECOVERED_WITHIN_MS = 60_000

test('60 kills, and whatever falls between them: nothing lost, nothing doubled, nothing stuck', {
  timeout: 900_000,
}, async ({ signal }) => {
  const { verdict, quiet, recoveries } = await runChaos(shop, plan, () => undefined, signal)

  expect(tellViolations(verdict.violations)).toBe('')
  expect(verdict).toMatchObject({ lost: 0, doubled: 0, stuck: 0, violations: [] })
  expect(quiet).toBe(true)
  expect(recoveries).toHaveLength(plan.kills)
  // The shop came back from each, and somebody was served.
  expect(recoveries.filter(({ tookMs }) => tookMs === null)).toEqual([])
  expect(timesOf(recoveries)?.max).toBeLessThan(RECOVERED_WITHIN_MS)
  expect(verdict.counts.promised).toBeGreaterThan(100)
})
