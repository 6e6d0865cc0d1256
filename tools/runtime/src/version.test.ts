import { expect, test } from 'vitest'
import { atLeast, versionIn, versionTextIn, written } from './version.ts'

test.each([
  ['1.18.0', [1, 18, 0]],
  ['go version go1.26.8 linux/amd64', [1, 26, 8]],
  ['openjdk version "17.0.15" 2025-04-15', [17, 0, 15]],
  ['openjdk version "21" 2023-09-19', [21, 0, 0]],
  ['\u001b[1mApache Maven 3.8.7\u001b[m', [3, 8, 7]],
  ['db version v8.0.1\nBuild Info: {', [8, 0, 1]],
  ['prometheus, version 3.13.5 (branch: , revision: unknown)', [3, 13, 5]],
])('%j tells its version', (text, version) => {
  expect(versionIn(text)).toEqual(version)
})

test('a build without a version has none', () => {
  expect(versionIn('edge')).toBeNull()
})

test('versions are compared number by number', () => {
  expect(atLeast([1, 18, 0], [1, 18, 0])).toBe(true)
  expect(atLeast([1, 9, 9], [1, 18, 0])).toBe(false)
  expect(atLeast([2, 0, 0], [1, 18, 3])).toBe(true)
  expect(written([1, 18, 2])).toBe('1.18.2')
})

test('what tells builds of one version apart is kept, and does not make it older', () => {
  expect(versionTextIn('1.18.2-tideshop.1\n')).toBe('1.18.2-tideshop.1')
  expect(versionTextIn('prometheus, version 3.13.5 (branch: )')).toBe('3.13.5')
  expect(versionTextIn('edge')).toBeNull()
  expect(versionIn('1.18.2-tideshop.1')).toEqual([1, 18, 2])
})
