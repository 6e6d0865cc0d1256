import { spawn } from 'node:child_process'
import { closeSync, mkdirSync, openSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { NotStarted } from '@tideshop/run/process'

const ASK_EVERY_MS = 50

export type Daemon = {
  name: string
  command: string
  args: string[]
  env?: Record<string, string>
  isReady: () => Promise<boolean>
  readyWithinMs: number
}

/**
 * Starts a process that stays when this one ends, and resolves when it is ready. What it says is in `logs`. Its end is
 * the namespace's: see space.ts.
 */
export async function startDaemon(daemon: Daemon, logs: string): Promise<void> {
  const { name, command, args, env = {}, isReady, readyWithinMs } = daemon
  mkdirSync(logs, { recursive: true })
  const log = openSync(join(logs, `${name}.log`), 'w')
  const child = spawn(command, args, {
    detached: true,
    stdio: ['ignore', log, log],
    env: { ...process.env, ...env },
  })
  closeSync(log)
  child.unref()
  let failure: string | null = null
  child.once('error', (error) => {
    failure = `cannot be started: ${error.message}`
  })
  child.once('exit', (code, signal) => {
    failure ??= `ended before it was ready (${signal ?? `exit code ${code}`})`
  })
  const deadline = performance.now() + readyWithinMs
  while (!(await isReady())) {
    if (failure !== null) throw new NotStarted(name, failure)
    if (performance.now() > deadline)
      throw new NotStarted(name, `was not ready within ${readyWithinMs / 1000} s`)
    await delay(ASK_EVERY_MS)
  }
  child.removeAllListeners()
}
