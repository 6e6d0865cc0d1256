import { expect, test, vi } from 'vitest'
import { load } from './load-tool.ts'

/** Each is a process that starts, on cores that other tests share. */
vi.setConfig({ testTimeout: 60_000 })

test('--help tells the scenarios, and after a scenario its options', async () => {
  const all = await load('--help')
  expect(all.code).toBe(0)
  expect(all.said).toMatch(/postman .*\n.*saga /)
  expect(await load('saga', '--help')).toMatchObject({
    code: 0,
    said: expect.stringContaining('--deny-share'),
  })
  expect(await load('postman', '--help')).toMatchObject({
    code: 0,
    said: expect.stringContaining('--runners'),
  })
})

test('an unknown scenario is answered with the list of those there are', async () => {
  const { code, said } = await load('toString')
  expect(code).toBe(2)
  expect(said).toMatch(/no scenario "toString".*postman.*saga/s)
})

test('an unknown collection is answered with the list of those there are', async () => {
  const { code, said } = await load('postman', 'sagas')
  expect(code).toBe(2)
  expect(said).toContain('give one collection of: saga')
})

test('a host that is not this machine gets no load', async () => {
  for (const scenario of [['saga'], ['postman', 'saga']]) {
    const { code, said } = await load(...scenario, '--base-url', 'http://example.com')
    expect(code).toBe(2)
    expect(said).toContain('only to this machine')
  }
})

test('without a shop the tool says how to start one', async () => {
  const { code, said } = await load('saga', '--base-url', 'http://127.0.0.1:9')
  expect(code).toBe(2)
  expect(said).toContain('run `pnpm start` first')
})
