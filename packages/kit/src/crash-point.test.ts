import { expect, test } from 'vitest'
import { armCrash } from './crash-point.ts'

test('a point that does not exist is named, with those that do', () => {
  expect(() => armCrash('inbox.nowhere:1')).toThrow(/inbox\.received/)
  expect(() => armCrash('inbox.handled:often')).toThrow(/<point>:<n>/)
})

test('nothing set and no file are no crash', () => {
  expect(() => armCrash(undefined)).not.toThrow()
  expect(() => armCrash('@/there/is/no/such/file')).not.toThrow()
})
