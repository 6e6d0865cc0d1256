import { expect, test } from 'vitest'
import { quantity } from './quantity.ts'

test('a quantity of Kubernetes is a number', () => {
  expect(['3', '1500m', '2k', '3Mi', '0', '12e3', '250u'].map(quantity)).toEqual([
    3, 1.5, 2000, 3_145_728, 0, 12_000, 0.00025,
  ])
})

test('anything else is none', () => {
  for (const written of ['', 'many', '3x', 'm']) expect(() => quantity(written)).toThrow('no quantity')
})
