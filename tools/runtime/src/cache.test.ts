import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { cacheName, cacheRoot } from './cache.ts'

const root = mkdtempSync(join(tmpdir(), 'cache-name-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))

test('the cache is where the environment says, then where the system keeps caches, then in the home', () => {
  const home = { HOME: '/home/ada' }
  expect(cacheRoot({ ...home, XDG_CACHE_HOME: '/caches', TIDESHOP_CACHE: '/mine' })).toBe('/mine')
  expect(cacheRoot({ ...home, XDG_CACHE_HOME: '/caches' })).toBe('/caches/tideshop')
  expect(cacheRoot(home)).toBe('/home/ada/.cache/tideshop')
})

test('whatever changes the result changes the name', async () => {
  const file = join(root, 'go.mod')
  writeFileSync(file, 'go 1.26')
  const name = await cacheName('daprd', '1.18.2', [file], ['-trimpath'])
  expect(name).toMatch(/^daprd-1\.18\.2-[0-9a-f]{10}$/)
  expect(await cacheName('daprd', '1.18.2', [file], ['-trimpath'])).toBe(name)
  expect(await cacheName('daprd', '1.18.2', [file], [])).not.toBe(name)
  writeFileSync(file, 'go 1.27')
  expect(await cacheName('daprd', '1.18.2', [file], ['-trimpath'])).not.toBe(name)
})
