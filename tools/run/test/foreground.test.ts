import { spawn } from 'node:child_process'
import { once } from 'node:events'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { expect, test } from 'vitest'

/** Runs the stall, asks it to stop when it says `at`, and gives what it said and its exit code. */
async function stopAt(at: string, manner: string): Promise<{ said: string[]; code: number | null }> {
  const stall = spawn(process.execPath, [path.join(import.meta.dirname, 'fixtures/foreground.ts'), manner], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const closed = once(stall, 'close')
  const said: string[] = []
  createInterface({ input: stall.stdout }).on('line', (line) => {
    said.push(line)
    if (line === at) stall.kill('SIGINT')
  })
  const [code] = (await closed) as [number | null]
  return { said, code }
}

test('what is open and then stopped was never "stopped before it was open"', async () => {
  const { said, code } = await stopAt('the stall is open', 'prompt')
  expect(said.join('\n')).toMatch(
    /the stall is open\n+stopping the stall .*\ntaken down\nthe stall is closed/,
  )
  expect(said.join('\n')).not.toContain('before it was open')
  expect(code).toBe(0)
})

test('what becomes open after it was told to stop is taken down, and says what it had waited for', async () => {
  const { said, code } = await stopAt('under way', 'deaf')
  expect(said).not.toContain('the stall is open')
  expect(said.slice(-2)).toEqual([
    'taken down',
    'the stall was stopped before it was open (it waited for: counter); nothing of it runs',
  ])
  expect(code).toBe(0)
})
