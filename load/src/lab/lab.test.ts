import { expect, test } from 'vitest'
import { planOf } from './lab.ts'

test.each(['approvals', 'pricing'])('for %s a length is enough of a plan', (service) => {
  const ground = { baseUrl: 'http://127.0.0.1:1', cluster: null }
  expect(planOf(service, '30')(ground).title).toMatch(/^\d+ (operations|quotes), \d+ a second$/)
})
