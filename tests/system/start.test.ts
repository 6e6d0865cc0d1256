import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync, rmSync } from 'node:fs'
import path from 'node:path'
import { root } from '@tideshop/run/arguments'
import { backboneNeeds } from '@tideshop/run/backbone'
import { addressesAt, controlPlaneNeeds } from '@tideshop/run/control-plane'
import { readDaprYaml } from '@tideshop/run/dapr-yaml'
import { firstTaken, needsOf, replicaPorts } from '@tideshop/run/ports'
import { answers } from '@tideshop/run/process'
import { isAlive, type RecordedProcess } from '@tideshop/run/record'
import { portOffsets } from '@tideshop/run/somewhere'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { typed } from './command.ts'
import { canBeMeasured, neededMb } from './memory.ts'

/** What a stranger does with `pnpm start`: one shop, in the order of the tests, by real processes and real signals. */

const START = 'tools/run/src/start.ts'
/** What a laptop with 8 GiB has to spare beside a browser and an editor. */
const MEMORY_MB_MAX = 2560
const PATIENCE = { timeout: 30_000, interval: 50 }
/** After a kill Kafka reads its log again, and what was left goes in peace first. */
const START_MS_MAX = 110_000

type Runner = { process: ChildProcess; said: () => string; url: string }

let offset = 0
let runner: Runner

beforeAll(async () => {
  if (spawnSync('curl', ['--version']).error) {
    throw new Error('curl is missing: what a start prints to try is typed with it')
  }
  ;[offset, runner] = await openSomewhere()
})

afterAll(async () => {
  if (offset === 0) return
  if (runner.process.exitCode === null) await interrupt(runner)
  rmSync(folder(offset), { recursive: true, force: true })
})

test('it opens and says where, and what it says to try works as it is printed', async () => {
  const [first, second, third] = commands()
  // In one shell, as in one terminal; it opens /dev/stderr, which cannot be done with the socket of a test.
  const shell = await typed('sh', '-c', `exec 2>/dev/null\n${first}\necho "$id"\n${second}`)
  expect(shell.code).toBe(0)
  const [id, operation = ''] = shell.said.split('\n')
  expect(JSON.parse(operation)).toMatchObject({ uuid: id, data: { name: 'hans' } })

  const look = async () => JSON.parse((await typed('sh', '-c', `id=${id}\n${second} -s`)).said).state
  await expect.poll(look, PATIENCE).toBe('completed')
  expect(third).toBe(`npx --yes pnpm@12 load postman saga --base-url ${runner.url}`)
})

test.skipIf(!canBeMeasured())(
  'at rest it needs no more than 2.5 GiB of memory, all parts together',
  async () => {
    const needed = () =>
      [...recorded(), runner.process].reduce((mb, { pid }) => mb + neededMb(pid as number), 0)
    await expect.poll(needed, PATIENCE).toBeLessThanOrEqual(MEMORY_MB_MAX)
  },
)

test('a second start says that the shop runs already, and changes nothing', async () => {
  const before = readFileSync(recordFile(), 'utf8')
  const second = startAt(offset)
  const [code] = await once(second.process, 'close')
  expect(second.said()).toBe(`the shop runs already: ${runner.url} (runner's pid ${runner.process.pid})\n`)
  expect(code).toBe(1)
  expect(readFileSync(recordFile(), 'utf8')).toBe(before)
  expect(await answers(`${runner.url}/readyz`, 200)).toBe(true)
})

test('--help tells the options', async () => {
  const { code, said } = await typed(process.execPath, START, '--help')
  expect(said).toMatch(/^pnpm start \[options\].*--port-offset N.*--fresh/s)
  expect(code).toBe(0)
})

test(
  'after the runner was killed a new start ends what was left, and opens',
  async () => {
    const left = recorded()
    runner.process.kill('SIGKILL')
    await once(runner.process, 'close')
    expect(left.every(isAlive)).toBe(true)

    runner = await opened(startAt(offset))
    expect(runner.said()).toContain('ended what a killed runner had left')
    expect(left.some(isAlive)).toBe(false)
    expect(await answers(`${runner.url}/readyz`, 200)).toBe(true)
  },
  START_MS_MAX,
)

test('Ctrl-C closes it: nothing of it runs, and its ports are free', async () => {
  const processes = recorded()
  // Each service with its sidecar; the backbone may run elsewhere.
  expect(processes.length).toBeGreaterThanOrEqual(2 * readDaprYaml(root).apps.length)
  expect(await interrupt(runner)).toBe(0)
  expect(runner.said()).toMatch(/stopping the shop .*\nthe shop is closed, .* s\n$/)
  expect(runner.said()).not.toContain('before it was open')
  expect(processes.filter(isAlive)).toEqual([])
  expect(existsSync(recordFile())).toBe(false)
  expect(await firstTaken(ports())).toBeUndefined()
})

/** At ports that are free, and with a folder that nobody else has anything in. */
async function openSomewhere(): Promise<[number, Runner]> {
  for (const candidate of portOffsets) {
    if (existsSync(folder(candidate))) continue
    const attempt = startAt(candidate)
    try {
      return [candidate, await opened(attempt)]
    } catch (error) {
      rmSync(folder(candidate), { recursive: true, force: true })
      if (!attempt.said().includes('another program listens there')) throw error
    }
  }
  throw new Error(`no free ports for a shop at any offset of ${portOffsets.join(', ')}`)
}

function startAt(portOffset: number): Omit<Runner, 'url'> {
  const args = [START, '--port-offset', `${portOffset}`]
  const child = spawn(process.execPath, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] })
  let said = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (part) => {
      said += part
    })
  }
  return { process: child, said: () => said }
}

/** Resolves when it says that it is open; rejects with what it said when it ends before. */
function opened(starting: Omit<Runner, 'url'>): Promise<Runner> {
  return new Promise((resolve, reject) => {
    const look = () => {
      if (!starting.said().includes('Ctrl-C closes it.')) return
      const [, url = ''] = /The shop is open: (\S+)/.exec(starting.said()) ?? []
      resolve({ ...starting, url })
    }
    starting.process.stdout?.on('data', look)
    starting.process.once('close', () => reject(new Error(`it did not open:\n${starting.said()}`)))
  })
}

function commands(): string[] {
  const [, ...three] = /Try: {2}(.+)\n {8}(.+)\n {8}(.+)\n/.exec(runner.said()) ?? []
  expect(three).toHaveLength(3)
  return three
}

async function interrupt({ process }: Runner): Promise<number | null> {
  const closed = once(process, 'close')
  process.kill('SIGINT')
  const [code] = (await closed) as [number | null]
  return code
}

function folder(portOffset: number): string {
  return path.join(root, '.runtime', `shop-${portOffset}`)
}

function recordFile(): string {
  return path.join(folder(offset), 'processes.json')
}

function recorded(): RecordedProcess[] {
  return JSON.parse(readFileSync(recordFile(), 'utf8')).processes
}

function ports() {
  const program = { kind: 'program' } as const
  const { apps, controlPlane } = readDaprYaml(root)
  return [
    ...apps.flatMap((app) => needsOf(app.appId, replicaPorts(app, offset, 0))),
    ...backboneNeeds({ kafka: program, mongodb: program }, offset),
    ...controlPlaneNeeds(addressesAt(controlPlane, offset)),
  ]
}
