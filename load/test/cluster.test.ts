import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, expect, test, vi } from 'vitest'
import { fakeCluster } from './fake-cluster.ts'
import { fakeShop } from './fake-shop.ts'
import { ended, load, startLoad } from './load-tool.ts'

vi.setConfig({ testTimeout: 60_000 })

const dir = mkdtempSync(path.join(tmpdir(), 'load-cluster-'))
afterAll(() => rmSync(dir, { recursive: true }))

const json = path.join(dir, 'run.json')
const page = path.join(dir, 'run.html')
const config = path.join(dir, 'kubeconfig')

const someLoad = ['saga', '--rate', '4', '--seconds', '3', '--callers', '5']
const asExpected =
  'no request failed; users >= 4; first replica within 5 s; users back to 0 within 20 s; rate >= 3/s'

test('a load on a cluster tells how it was scaled, and keeps all of it in a file and on a page', async () => {
  await using shop = await fakeShop()
  await using cluster = await fakeCluster(shop.created)
  const { code, said } = await load(
    ...[...someLoad, '--base-url', shop.baseUrl, '--kubeconfig', cluster.write(config)],
    ...['--expect', asExpected, '--json', json, '--report', page],
  )
  expect(said).toMatch(/✔ users >= 4: met, after \d/)
  expect(said).toMatch(/✔ users back to 0 within 20 s: met/)
  expect(said).toMatch(/^users +0–12 +4 +4 /m)
  expect(said).toMatch(/for a million events \(from 48\): [\d,]+ pod-seconds, [\d,]+ CPU-seconds/)
  expect(code).toBe(0)

  const run = JSON.parse(readFileSync(json, 'utf8'))
  expect(run).toMatchObject({ accepted: 12, lost: 0, requests: { good: 12, failed: 0 } })
  expect(run.scaling.services).toMatchObject([{ service: 'users', min: 0, max: 12, mostReady: 4 }])
  expect(run.scaling.services[0].elasticity.underTimeshare).toBeGreaterThan(0)
  expect(run.timeline.samples.length).toBeGreaterThan(5)

  const html = readFileSync(page, 'utf8')
  for (const title of [
    'Load',
    'Latency',
    'Lag',
    'users: replicas',
    'users: kafka user-create, one replica for every 25',
  ]) {
    expect(html).toContain(`<figcaption>${title} `)
  }
  expect(html).not.toMatch(/NaN|Infinity|<script|https?:\/\/(?!127\.0\.0\.1)/)
})

test('a cluster that does not grow is found out', async () => {
  await using shop = await fakeShop()
  await using cluster = await fakeCluster(shop.created, 'never grows')
  const { code, said } = await load(
    ...[
      ...someLoad,
      '--base-url',
      shop.baseUrl,
      '--kubeconfig',
      cluster.write(config),
      '--expect',
      asExpected,
    ],
  )
  expect(said).toContain('✖ users >= 4: missed, 0 were ready at most')
  expect(said).toContain('✖ first replica within 5 s: missed, none came')
  expect(code).toBe(1)
})

test('a cluster that does not come back is waited for within its bound, and found out', async () => {
  await using shop = await fakeShop()
  await using cluster = await fakeCluster(shop.created, 'never shrinks')
  const { code, said } = await load(
    ...[
      ...someLoad,
      '--base-url',
      shop.baseUrl,
      '--kubeconfig',
      cluster.write(config),
      '--rest-seconds',
      '2',
    ],
    ...['--expect', 'users back to 0 within 20 s'],
  )
  expect(said).toContain('✖ users back to 0 within 20 s: missed, 4 were ready when the watch ended')
  expect(code).toBe(1)
})

test('Ctrl-C ends the load, and the report says what can be said by then', async () => {
  await using shop = await fakeShop()
  await using cluster = await fakeCluster(shop.created)
  const tool = startLoad(
    ...['saga', '--rate', '20', '--seconds', '600', '--callers', '5', '--base-url', shop.baseUrl],
    ...['--kubeconfig', cluster.write(config), '--expect', 'users back to 0 within 20 s', '--json', json],
  )
  const end = ended(tool)
  await vi.waitFor(() => expect(shop.created()).toBeGreaterThan(20), { timeout: 30_000 })
  tool.kill('SIGINT')
  const { code, said } = await end
  expect(said).toContain('? users back to 0 within 20 s: open, the run was ended before')
  expect(JSON.parse(readFileSync(json, 'utf8'))).toMatchObject({ interrupted: true })
  expect(code).toBe(130)
})

test('many callers read one operation, without a cluster too', async () => {
  await using shop = await fakeShop()
  const { code, said } = await load(
    'http',
    '--requests',
    '500',
    '--callers',
    '10',
    '--base-url',
    shop.baseUrl,
  )
  expect(said).toMatch(/requests {2}500 good in .* failed 0/)
  expect(code).toBe(0)
})

test('quotes come at a rate, and each is checked to the cent', async () => {
  await using shop = await fakeShop()
  const { code, said } = await load(
    ...['grpc', '--rate', '50', '--seconds', '2', '--base-url', shop.baseUrl],
    ...['--expect', 'no request failed; rate >= 40/s'],
  )
  expect(said).toMatch(/requests {2}100 good in .* failed 0/)
  expect(code).toBe(0)
})

test('a shop that reckons a cent too much is found out', async () => {
  await using shop = await fakeShop('reckons a cent too much')
  const { code, said } = await load(...['grpc', '--rate', '20', '--seconds', '1', '--base-url', shop.baseUrl])
  expect(said).toMatch(/ 1 × \d+ cents, not \d+/)
  expect(code).toBe(1)
})

test('orders go to a RabbitMQ of this machine only, and where there is none it is said', async () => {
  await using shop = await fakeShop()
  const where = ['--base-url', shop.baseUrl, '--rabbitmq']
  expect(await load('queue', ...where, 'amqp://far:5672')).toMatchObject({
    code: 2,
    said: expect.stringContaining('load goes to no other'),
  })
  expect(await load('queue', ...where, 'amqp://127.0.0.1:1')).toMatchObject({
    code: 2,
    said: expect.stringContaining('no RabbitMQ can be used at 127.0.0.1:1'),
  })
})

test('what cannot be expected, and a cluster that cannot be watched, are refused before any load', async () => {
  await using shop = await fakeShop()
  const refusals = [
    [['--expect', 'users >= 2'], 'can only be expected of a cluster'],
    [['--expect', 'good weather'], '"good weather" is nothing that can be expected'],
    [['--kubeconfig', path.join(dir, 'nowhere')], 'no kubeconfig to read'],
    [['--rate', '5', '--operations', '9', '--seconds', '3'], 'give one of --operations and --seconds'],
    [['--seconds', '3'], '--seconds goes with --rate'],
  ] as const
  for (const [args, why] of refusals) {
    expect(await load('saga', ...args, '--base-url', shop.baseUrl)).toMatchObject({
      code: 2,
      said: expect.stringContaining(why),
    })
  }
  // The door of another cluster is not where ours is.
  expect(await load('saga', '--context', 'another')).toMatchObject({
    code: 2,
    said: expect.stringContaining('--base-url has to say where the door of that cluster is'),
  })
  expect(shop.created()).toBe(0)
})

test('scalers take turns under the same load, and the one that was there comes back', async () => {
  await using shop = await fakeShop()
  await using cluster = await fakeCluster(shop.created)
  const { code, said } = await load(
    ...['lab', '--service', 'users', '--only', 'ours,rate', '--rate', '4', '--seconds', '2'],
    ...['--base-url', shop.baseUrl, '--kubeconfig', cluster.write(config), '--json', json, '--report', page],
  )
  expect(said).toMatch(/^trigger +first wanted .*\nours .*\nrate /m)
  expect(said).toMatch(/reacts first: (ours|rate), after/)
  expect(said).toMatch(/takes least: (ours|rate), \d+ pod-seconds/)
  expect(code).toBe(0)
  const types = cluster.made.map(({ spec }) =>
    (spec['triggers'] as { type: string }[]).map(({ type }) => type),
  )
  expect(types).toEqual([['kafka'], ['kafka'], ['prometheus'], ['kafka']])
  expect(cluster.made.at(-1)?.metadata).toMatchObject({ name: 'users', labels: { app: 'users' } })
  expect(JSON.parse(readFileSync(json, 'utf8')).turns).toMatchObject([{ name: 'ours' }, { name: 'rate' }])
  expect(readFileSync(page, 'utf8')).toContain('users: replicas ready')
})

test('the lab needs a cluster, and knows its scalers', async () => {
  await using shop = await fakeShop()
  await using cluster = await fakeCluster(shop.created)
  const where = ['--base-url', shop.baseUrl, '--kubeconfig', cluster.write(config)]
  expect(await load('lab', '--service', 'users', '--only', 'luck', ...where)).toMatchObject({
    code: 2,
    said: expect.stringContaining('--only takes of'),
  })
  expect(await load('lab', '--service', 'approvals', ...where)).toMatchObject({
    code: 2,
    said: expect.stringContaining('the cluster has no scaler of approvals'),
  })
  expect((await load('lab', '--service', 'nobody', ...where)).said).toContain('no keda/nobody.yaml')
  expect(cluster.made).toEqual([])
})
