import { expect, test } from 'vitest'
import { readSources } from './scaler.ts'

test('a ScaledObject is found in a file that has more than it', () => {
  const { ours, published } = readSources('invoices', true)
  for (const spec of [ours, published]) expect(spec?.triggers.map(({ type }) => type)).toEqual(['rabbitmq'])
})

test('a published one that needs more than itself takes no turn', () => {
  expect(readSources('storefront', true).published).toBeNull()
})

test('who hears no topic goes by the first of the saga, unless the load has none', () => {
  expect(readSources('pricing', true).lag?.metadata['topic']).toBe('user-create')
  expect(readSources('pricing', false).lag).toBeNull()
})
