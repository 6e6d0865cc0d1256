import { expect, test } from 'vitest'
import { CannotRun, readArguments, share, wholeNumber } from './arguments.ts'

test('a count is a whole number within its bound', () => {
  expect(wholeNumber('callers', '20', 500)).toBe(20)
  for (const typed of ['0', '-1', '1.5', 'many', '', '501']) {
    expect(() => wholeNumber('callers', typed, 500)).toThrow(/--callers is a whole number from 1 to 500/)
  }
})

test('a share lies between nothing and all', () => {
  expect(share('deny-share', '0.05')).toBe(0.05)
  expect(share('deny-share', '0')).toBe(0)
  for (const typed of ['1.1', '-0.1', 'half', '']) {
    expect(() => share('deny-share', typed)).toThrow(/--deny-share is a number from 0 to 1/)
  }
})

test('an unknown option is told without a stack and points to the help', () => {
  const read = () => readArguments({ args: ['--fast'], options: { callers: { type: 'string' } } })
  expect(read).toThrow(CannotRun)
  expect(read).toThrow(/--fast.*--help/)
})
