import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, expect, test, vi } from 'vitest'
import { keep } from '../src/cache.ts'
import { runBuild } from '../src/child.ts'

const WAIT = { timeout: 10_000, interval: 20 }
const SCRIPT = fileURLToPath(new URL('fake-build.ts', import.meta.url))

const root = mkdtempSync(join(tmpdir(), 'cache-'))
const folder = join(root, 'part-1.0.0-0123456789')
afterEach(() => rmSync(root, { recursive: true, force: true }))

test('of two builders at once one builds, and the other says for whom it waits', async () => {
  const first = build()
  await first.said('half')
  const second = build()
  await second.said(`waiting for process ${first.pid}`)
  writeFileSync(`${folder}.go`, '')
  await Promise.all([first.said('done'), second.said('done')])
  expect(readFileSync(`${folder}.log`, 'utf8')).toBe(`${first.pid}\n`)
  expect(readdirSync(folder).sort()).toEqual(['half', 'whole'])
})

test('a killed build leaves nothing that looks whole, and the next one clears up', async () => {
  const first = build()
  await first.said('half')
  first.child.kill('SIGKILL')
  await first.ended
  expect(existsSync(folder)).toBe(false)

  writeFileSync(`${folder}.go`, '')
  const second = build()
  await second.said('done')
  expect(readdirSync(root).filter((name) => /lock|unfinished/.test(name))).toEqual([])
  expect(readdirSync(folder).sort()).toEqual(['half', 'whole'])
})

test('a failed build is told, and leaves nothing', async () => {
  const fill = () => Promise.reject(new Error('no space'))
  await expect(keep({ folder, fill, report: () => {}, signal: undefined })).rejects.toThrow('no space')
  expect(readdirSync(root)).toEqual([])
})

test('Ctrl-C ends a build with all its children', async () => {
  const stop = new AbortController()
  let grandchild = 0
  const running = runBuild({
    command: 'sh',
    args: ['-c', 'sleep 600 & echo $!; wait'],
    cwd: tmpdir(),
    env: process.env,
    signal: stop.signal,
    onLine: (line) => {
      grandchild = Number(line)
      stop.abort()
    },
  })
  await expect(running).rejects.toThrow(/abort/)
  await vi.waitFor(() => expect(() => process.kill(grandchild, 0)).toThrow('ESRCH'), WAIT)
})

test('a build that fails says what it wrote last', async () => {
  const args = ['-c', 'echo missing go.sum entry >&2; exit 3']
  const running = runBuild({
    command: 'sh',
    args,
    cwd: tmpdir(),
    env: process.env,
    signal: undefined,
    onLine: () => {},
  })
  await expect(running).rejects.toThrow('missing go.sum entry')
})

function build() {
  const child: ChildProcess = spawn(process.execPath, [SCRIPT, folder], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let output = ''
  child.stdout?.on('data', (chunk: Buffer) => {
    output += chunk.toString()
  })
  return {
    child,
    pid: child.pid,
    ended: new Promise((resolve) => child.once('exit', resolve)),
    said: (text: string) => vi.waitFor(() => expect(output).toContain(text), WAIT),
  }
}
