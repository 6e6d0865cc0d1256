import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { bench } from './load-tool.ts'

/** Each is a process that starts, on cores that other tests share. */
vi.setConfig({ testTimeout: 60_000 })

let dir = ''
beforeAll(() => {
  dir = mkdtempSync(path.join(tmpdir(), 'tideshop-bench-test-'))
})
afterAll(() => rmSync(dir, { recursive: true, force: true }))

function report(name: string, median: number, runs: number): string {
  const file = path.join(dir, name)
  const eventsPerSecond = { median, min: median - 10, max: median + 10 }
  writeFileSync(file, JSON.stringify({ bench: 'saga', eventsPerSecond, runs: Array(runs).fill({}) }))
  return file
}

test('--help tells the benches, and after one its options', async () => {
  expect((await bench('--help')).said).toMatch(/saga .*\n.*http .*\n.*start .*\n.*compare /)
  const options = { saga: '--backlog', http: '--callers', start: '--service', compare: 'A.json' }
  await Promise.all(
    Object.entries(options).map(async ([name, option]) => {
      expect(await bench(name, '--help')).toMatchObject({ code: 0, said: expect.stringContaining(option) })
    }),
  )
})

test('what cannot be measured is refused before a shop is opened', async () => {
  const refusals = [
    [['saga', '--rate', '0'], '--rate is a whole number'],
    [['saga', '--rate', '5', '--backlog', '5'], 'give one of'],
    [['saga', '--from', 'window'], 'topic or door'],
    [['saga', '--from', 'door', '--backlog', '5'], 'straight to the topic'],
    [['saga', '--rate', '50000', '--seconds', '3600'], 'more than 1000000 operations'],
    [['start', '--service', 'nobody'], 'no service nobody'],
  ] as const
  await Promise.all(
    refusals.map(async ([args, why]) => {
      expect(await bench(...args)).toMatchObject({ code: 2, said: expect.stringContaining(why) })
    }),
  )
})

test('two reports are paired, and ranges that overlap are no clear difference', async () => {
  const [one, close, far] = [report('a.json', 100, 5), report('b.json', 115, 5), report('c.json', 200, 5)]
  expect((await bench('compare', one, close)).said).toMatch(/eventsPerSecond +100 +115 +× 1.15 +no clear/)
  const { code, said } = await bench('compare', one, far)
  expect(code).toBe(0)
  expect(said).toMatch(/× 2.00/)
  expect(said).not.toContain('no clear')
})

test('one run alone is said to have no range', async () => {
  expect((await bench('compare', report('d.json', 1, 1), report('e.json', 2, 5))).said).toContain(
    'has no range',
  )
})
