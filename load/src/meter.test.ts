import { expect, test } from 'vitest'
import { Meter } from './meter.ts'

test('a beat tells what came since the one before, the totals tell all', () => {
  const meter = new Meter()
  meter.good(10)
  meter.failed()
  expect(meter.beat()).toMatchObject({ good: 1, failed: 1, repeated: 0, looks: 0, ms: { count: 1, p50: 10 } })
  meter.good(30)
  meter.repeated()
  meter.looked()
  expect(meter.beat()).toMatchObject({ good: 1, failed: 0, repeated: 1, looks: 1, ms: { count: 1, p50: 30 } })
  expect(meter.beat()).toEqual({ good: 0, failed: 0, repeated: 0, looks: 0, ms: null, open: null })
  expect(meter.totals()).toMatchObject({ good: 2, failed: 1, ms: { count: 2, max: 30 } })
})

test('what is open is asked when somebody looks', () => {
  const meter = new Meter()
  let open = 3
  meter.openIs(() => open)
  expect(meter.beat().open).toBe(3)
  open = 0
  expect(meter.beat().open).toBe(0)
})
