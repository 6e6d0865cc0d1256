import { expect, test } from 'vitest'
import { readSources } from './scaler.ts'

test('a ScaledObject is found in a file that has more than it', () => {
  const { ours, published } = readSources('invoices')
  for (const spec of [ours, published]) expect(spec?.triggers.map(({ type }) => type)).toEqual(['rabbitmq'])
})

test('a published one that needs more than itself takes no turn', () => {
  expect(readSources('storefront').published).toBeNull()
})
