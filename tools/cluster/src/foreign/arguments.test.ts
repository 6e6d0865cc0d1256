import { expect, test } from 'vitest'
import { readUpOptions, takeContext } from './arguments.ts'

test('the context may stand anywhere, in one word or two', () => {
  const typed = [
    ['--context', 'kind-a', 'up', '--overlay', 'kind'],
    ['up', '--context=kind-a', '--overlay', 'kind'],
    ['up', '--overlay', 'kind', '--context', 'kind-a'],
  ]
  for (const words of typed) {
    expect(takeContext(words)).toEqual({ context: 'kind-a', rest: ['up', '--overlay', 'kind'] })
  }
})

test('without a context nothing is taken, and what stands behind -- is another program’s', () => {
  for (const words of [[], ['up'], ['kubectl', 'exec', 'pod', '--', 'program', '--context', 'its']]) {
    expect(takeContext(words)).toEqual({ context: null, rest: words })
  }
})

test('a context without a name is refused', () => {
  for (const words of [
    ['up', '--context'],
    ['up', '--context='],
    ['--context', '--overlay', 'kind'],
  ]) {
    expect(() => takeContext(words)).toThrow(/needs the name of a context/)
  }
})

test('the overlay is one that there is', () => {
  expect(readUpOptions([])).toEqual({ overlay: 'kind', imagePrefix: null })
  expect(readUpOptions(['--overlay', 'production']).overlay).toBe('production')
  expect(() => readUpOptions(['--overlay', 'staging'])).toThrow('one of kind, production, local')
  expect(() => readUpOptions(['--overlays', 'kind'])).toThrow(/overlays/)
})

test('images come from a name that a registry can have', () => {
  const prefix = (typed: string) => readUpOptions(['--images', typed]).imagePrefix
  expect(prefix('registry.example.com:5000/team/tideshop/')).toBe('registry.example.com:5000/team/tideshop')
  for (const typed of ['', 'https://registry', '/tideshop', 'a b', 'Registry/tideshop']) {
    expect(() => prefix(typed), typed).toThrow(/start of an image/)
  }
})
