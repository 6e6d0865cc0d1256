import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { freePort } from '@tideshop/runtime/free-port'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { Fleet, inFleet } from '../src/fleet.ts'
import { demandFree, PortTaken } from '../src/ports.ts'
import { answers, Child, NotStarted } from '../src/process.ts'
import { AlreadyRunning, isAlive, startTime } from '../src/record.ts'
import { tinyApp } from './tiny.ts'

const PATIENCE = { timeout: 15_000, interval: 20 }

let dir: string
let fleet: Fleet
let port: number

beforeEach(async () => {
  dir = mkdtempSync(path.join(tmpdir(), 'tideshop-run-'))
  fleet = await Fleet.open({ dir, url: 'http://127.0.0.1:1' })
  port = await freePort()
})

afterEach(async () => {
  await fleet.stop()
  rmSync(dir, { recursive: true })
})

function healthy(): Promise<boolean> {
  return answers(`http://127.0.0.1:${port}/healthz`, 200)
}

/** True while a process with this pid exists, even one that nobody recorded. */
function exists(pid: number): boolean {
  return startTime(pid) !== null
}

test('a process counts as started when it answers, and is gone when stopped', async () => {
  const app = fleet.define(tinyApp('users', port), 'service')
  expect(app.running).toBe(false)
  await app.start()
  expect(await healthy()).toBe(true)
  const { pid } = app
  await app.stop()
  expect(app.running).toBe(false)
  expect(exists(pid ?? 0)).toBe(false)
  expect(fleet.logBook.text()).toContain('asked to go')
})

test('a killed process is gone without a word and can be started again', async () => {
  const app = fleet.define(tinyApp('users', port), 'service')
  await app.start()
  await app.kill()
  expect(await healthy()).toBe(false)
  await app.start()
  expect(await healthy()).toBe(true)
  expect(fleet.logBook.text()).not.toContain('asked to go')
})

test('a paused process is silent, answers again when resumed, and can be stopped while paused', async () => {
  const app = fleet.define(tinyApp('users', port), 'service')
  await app.start()
  app.pause()
  expect(await answers(`http://127.0.0.1:${port}/`, 200, 300)).toBe(false)
  expect(app.running).toBe(true)
  app.resume()
  await expect.poll(healthy, PATIENCE).toBe(true)
  app.pause()
  await app.stop()
  expect(fleet.logBook.text()).toContain('asked to go')
})

test('a process that ignores SIGTERM is killed after its bound', async () => {
  const app = fleet.define({ ...tinyApp('users', port, 'stubborn'), stopWithinMs: 300 }, 'service')
  await app.start()
  const pid = app.pid ?? 0
  await app.stop()
  expect(exists(pid)).toBe(false)
})

test('a process that dies at its start is reported with what it said', async () => {
  const app = fleet.define(tinyApp('users', port, 'failing'), 'service')
  await expect(app.start()).rejects.toThrow('users ended before it was ready (exit code 3)')
  expect(fleet.logBook.tail('users', 1)).toEqual(['cannot find the shop'])
})

test('a process that may try again does so, and is told of when it has no try left', async () => {
  const ended: boolean[] = []
  const witness = {
    spoke: () => {},
    spawned: () => {},
    ended: (_: number, __: string, asked: boolean) => ended.push(asked),
  }
  const app = new Child({ ...tinyApp('users', port, 'failing'), tries: 3 }, witness)
  await expect(app.start()).rejects.toThrow('users ended before it was ready (exit code 3)')
  expect(ended).toEqual([true, true, false])
})

test('a process that ended once is ready at its second try', async () => {
  const first = path.join(dir, 'first-try')
  const spec = tinyApp('users', port)
  const script = `[ -e '${first}' ] || { touch '${first}'; exit 3; }; exec ${spec.command} ${spec.args.join(' ')}`
  const app = fleet.define({ ...spec, command: 'sh', args: ['-c', script], tries: 2 }, 'sidecar')
  await app.start()
  expect(fleet.logBook.text()).toContain('ended before it was ready (exit code 3): started again')
})

test('a process that is stopped before it is ready is not tried again', async () => {
  const app = fleet.define({ ...tinyApp('users', port, 'mute'), tries: 3 }, 'sidecar')
  const started = expect(app.start()).rejects.toThrow(NotStarted)
  await expect.poll(() => app.pid, PATIENCE).not.toBeNull()
  await app.stop()
  await started
  expect(app.running).toBe(false)
})

test('a process that is not ready in time is ended', async () => {
  const app = fleet.define({ ...tinyApp('users', port, 'mute'), readyWithinMs: 300 }, 'service')
  await expect(app.start()).rejects.toThrow('users was not ready within 0.3 s')
  expect(app.running).toBe(false)
})

test('a command that does not exist is an error of the start', async () => {
  const app = fleet.define(
    { ...tinyApp('users', port), command: path.join(dir, 'no-such-program') },
    'service',
  )
  await expect(app.start()).rejects.toThrow(NotStarted)
})

test('closing leaves no process, no child of a process, and no record', async () => {
  const apps = [tinyApp('users', port, 'parent'), tinyApp('approvals', await freePort())]
  const processes = apps.map((app) => fleet.define(app, 'service'))
  await Promise.all(processes.map((app) => app.start()))
  const child = Number(/child (\d+)/.exec(fleet.logBook.text())?.[1])
  const pids = [child, ...processes.map((app) => app.pid ?? 0)]
  expect(pids.every(exists)).toBe(true)
  await fleet.stop()
  await expect.poll(() => pids.some(exists), PATIENCE).toBe(false)
  expect(existsSync(path.join(dir, 'processes.json'))).toBe(false)
})

test('a start that fails halfway stops what it had started', async () => {
  await fleet.stop()
  const begun = inFleet({ dir, url: 'http://127.0.0.1:1' }, async (own) => {
    fleet = own
    await own.define(tinyApp('users', port), 'service').start()
    throw new Error('no topics')
  })
  await expect(begun).rejects.toThrow('no topics')
  expect(await healthy()).toBe(false)
})

test('a process that dies by itself is reported loudly, and started again where that is wanted', async () => {
  await fleet.stop()
  const app = await inFleet({ dir, url: 'http://127.0.0.1:1', restart: true }, async (own) => {
    fleet = own
    const users = own.define(tinyApp('users', port), 'service')
    await users.start()
    return users
  })
  const first = app.pid ?? 0
  process.kill(first, 'SIGKILL')
  await expect.poll(() => app.running && app.pid !== first, PATIENCE).toBe(true)
  await expect.poll(() => fleet.logBook.text({ source: 'runner' }), PATIENCE).toContain('users is back')
  expect(fleet.logBook.text()).toContain('users ended by itself (SIGKILL); starting it again in 0.5 s')
})

test('a process that dies by itself stays down where nobody asked for more', async () => {
  const app = fleet.define(tinyApp('users', port), 'service')
  await app.start()
  fleet.opened()
  process.kill(app.pid ?? 0, 'SIGKILL')
  await expect.poll(() => fleet.logBook.text(), PATIENCE).toContain('it stays down')
  expect(app.running).toBe(false)
})

test('what a killed runner left is ended by the next one, which says so', async () => {
  await fleet.stop()
  const runner = spawn(
    process.execPath,
    [path.join(import.meta.dirname, 'fixtures/runner.ts'), dir, String(port)],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  )
  const [line] = (await once(createInterface({ input: runner.stdout }), 'line')) as [string]
  const left = Number(line.replace('ready ', ''))
  runner.kill('SIGKILL')
  await once(runner, 'exit')
  expect(exists(left)).toBe(true)
  fleet = await Fleet.open({ dir, url: 'http://127.0.0.1:1' })
  expect(exists(left)).toBe(false)
  expect(fleet.leftovers).toEqual(['users'])
  expect(fleet.logBook.text()).toContain('ended what a killed runner had left: users')
})

test('a second runner leaves the shop of a living one as it is', async () => {
  const app = fleet.define(tinyApp('users', port), 'service')
  await app.start()
  const before = readFileSync(path.join(dir, 'processes.json'), 'utf8')
  const second = Fleet.open({ dir, url: 'http://127.0.0.1:2' })
  await expect(second).rejects.toThrow(AlreadyRunning)
  await expect(second).rejects.toMatchObject({ pid: process.pid, url: 'http://127.0.0.1:1' })
  expect(await healthy()).toBe(true)
  expect(readFileSync(path.join(dir, 'processes.json'), 'utf8')).toBe(before)
})

test("a pid that was given to somebody else since is nobody's leftover", () => {
  const startedAt = startTime(process.pid) ?? ''
  expect(isAlive({ pid: process.pid, startedAt })).toBe(true)
  expect(isAlive({ pid: process.pid, startedAt: `${startedAt}0` })).toBe(false)
})

test('a port that another program holds is named, with who needs it and what to do', async () => {
  const stranger = await strangerBelow(32_768)
  const taken = (stranger.address() as { port: number }).port
  const demand = demandFree([{ port: taken, who: 'Kafka' }])
  await expect(demand).rejects.toThrow(PortTaken)
  await expect(demand).rejects.toThrow(`port ${taken} is needed by Kafka`)
  await expect(demand).rejects.toThrow('--port-offset')
  stranger.close()
})

/** Somebody else's server, at the first free port down from there: the kernel's own choice is above. */
async function strangerBelow(limit: number): Promise<Server> {
  const server = createServer().listen(limit - 1, '127.0.0.1')
  const listening = once(server, 'listening').then(() => true)
  return (await listening.catch(() => false)) ? server : strangerBelow(limit - 1)
}
