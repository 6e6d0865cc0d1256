import path from 'node:path'
import { expect, test } from 'vitest'
import { readArguments, root, runFolder } from './arguments.ts'

test('without arguments the shop opens where dapr.yaml says, with the data it had', () => {
  expect(readArguments([])).toEqual({ help: false, portOffset: 0, fresh: false, quiet: false })
})

test('the -- that npm wants before the options does no harm', () => {
  expect(readArguments(['--', '--port-offset', '1000']).portOffset).toBe(1000)
})

test.for(['-1', '1.5', 'many', '40000'])('a port offset of %s is refused', (offset) => {
  expect(() => readArguments([`--port-offset=${offset}`])).toThrow('--port-offset must be a whole number')
})

test('an option nobody knows is refused', () => {
  expect(() => readArguments(['--port-ofset', '1000'])).toThrow("'--port-ofset'")
})

test('a shop with a port offset has a folder of its own', () => {
  expect(path.relative(root, runFolder(0))).toBe(path.join('.runtime', 'shop'))
  expect(path.relative(root, runFolder(1000))).toBe(path.join('.runtime', 'shop-1000'))
})
