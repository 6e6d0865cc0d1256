import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test, vi } from 'vitest'
import { fakeShop, type Lie } from './fake-shop.ts'
import { ended, load, startLoad } from './load-tool.ts'

const RUN_MS_MAX = 60_000

test('a shop that keeps its promises passes, and the report adds up', { timeout: RUN_MS_MAX }, async () => {
  await using shop = await fakeShop()
  const folder = await mkdtemp(join(tmpdir(), 'load-'))
  const json = join(folder, 'report.json')
  const { code, said } = await load(
    ...['saga', '--operations', '300', '--callers', '10', '--deny-share', '0.1'],
    ...['--base-url', shop.baseUrl, '--json', json],
  )
  const report = JSON.parse(await readFile(json, 'utf8'))
  await rm(folder, { recursive: true })

  expect(said).toContain('lost 0, doubled 0, wrong 0')
  expect(code).toBe(0)
  expect(shop.created()).toBe(300)
  expect(report).toMatchObject({
    posted: 300,
    repeated: 0,
    accepted: 300,
    ended: 300,
    refused: 0,
    failures: [],
  })
  expect(report.postMs.count).toBe(300)
  // The fake ends an operation after 20 ms; polling can only see it later.
  expect(report.acceptedToEndedMs.p50).toBeGreaterThanOrEqual(20)
})

const lies: [lie: Lie, found: RegExp][] = [
  ['loses every third operation', /lost: user-\S+ \(\S+\): unknown although it was accepted/],
  ['forgets what ended', /lost: .*unknown after it had ended/],
  ['gives one id twice', /doubled: .*its id was given before/],
  ['completes who is denied', /wrong: mallory .*it is completed, not failed/],
  ['never ends anything', /lost: .*not ended \d s after it was accepted/],
  ['refuses every third create', /refused: .*503/],
]

test.each(lies)('a shop that %s is found out', { timeout: RUN_MS_MAX }, async (lie, found) => {
  await using shop = await fakeShop(lie)
  const { code, said } = await load(
    ...['saga', '--operations', '30', '--callers', '3', '--deny-share', '0.2', '--wait-seconds', '2'],
    ...['--patience', '0', '--base-url', shop.baseUrl],
  )
  expect(said).toMatch(found)
  expect(code).toBe(1)
})

test('a shop that asks to repeat is asked again', { timeout: RUN_MS_MAX }, async () => {
  await using shop = await fakeShop('refuses every third create')
  const { code, said } = await load(
    ...['saga', '--operations', '12', '--callers', '4', '--base-url', shop.baseUrl],
  )
  expect(said).toMatch(/posted +12, asked to repeat [1-9]\d*, refused 0/)
  expect(said).toMatch(/ended +12/)
  expect(code).toBe(0)
})

test('Ctrl-C ends to a report of what is known by then', { timeout: RUN_MS_MAX }, async () => {
  await using shop = await fakeShop('never ends anything')
  const tool = startLoad('saga', '--operations', '100000', '--callers', '2', '--base-url', shop.baseUrl)
  const end = ended(tool)
  await vi.waitFor(() => expect(shop.created()).toBeGreaterThan(20), { timeout: RUN_MS_MAX })
  tool.kill('SIGINT')

  const { code, said } = await end
  expect(said).toMatch(/interrupted/)
  expect(said).toMatch(/open [1-9]\d*/)
  expect(said).toContain('lost 0, doubled 0, wrong 0')
  expect(code).toBe(130)
})
