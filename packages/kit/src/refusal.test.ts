import { expect, test } from 'vitest'
import { z } from 'zod'
import { parse, Refusal } from './refusal.ts'

const order = z.strictObject({ lines: z.array(z.object({ sku: z.string() })) })

function refusalOf(value: unknown): Refusal {
  try {
    parse(order, value)
  } catch (error) {
    if (error instanceof Refusal) return error
  }
  throw new Error('it was accepted')
}

test('a wrong field is named by its path', () => {
  const { code, errors } = refusalOf({ lines: [{ sku: 'pear' }, { sku: 7 }] })
  expect(code).toBe('invalid')
  expect(errors).toEqual([{ path: 'lines[1].sku', message: expect.stringContaining('expected string') }])
})

test('what belongs to the whole body has an empty path', () => {
  expect(refusalOf(null).errors).toMatchObject([{ path: '' }])
  expect(refusalOf({ lines: [], extra: 1 }).errors).toMatchObject([{ path: '' }])
})
