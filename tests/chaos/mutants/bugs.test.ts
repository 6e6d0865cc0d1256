import { readFileSync } from 'node:fs'
import path from 'node:path'
import { root } from '@tideshop/run/arguments'
import { expect, test } from 'vitest'
import { type Bug, bugNamed, bugs, withBug } from './bugs.ts'

test.each<Bug>(bugs)('the bug "$name" still has its one place in $file', (bug) => {
  const source = readFileSync(path.join(root, bug.file), 'utf8')
  const planted = withBug(bug, source)
  expect(planted).not.toBe(source)
  expect(planted).toContain(bug.put)
})

test('a bug whose place is gone, or is not the only one, is not planted', () => {
  const bug: Bug = { name: 'no guard', file: 'store.ts', find: 'guard()', put: '', calledFor: ['lost'] }
  expect(withBug(bug, 'a; guard(); b')).toBe('a; ; b')
  expect(() => withBug(bug, 'a; b')).toThrow('store.ts has its place 0 times, not once')
  expect(() => withBug(bug, 'guard(); guard()')).toThrow('store.ts has its place 2 times, not once')
})

test('a bug that nobody knows is an error, and says which there are', () => {
  expect(() => bugNamed('no such')).toThrow('no sweep')
})
