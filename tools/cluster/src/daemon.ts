import { spawn } from 'node:child_process'
import { closeSync, mkdirSync, openSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { NotStarted } from '@tideshop/run/process'
import type { Place } from './place.ts'
import { writeIn } from './write-in.ts'

const ASK_EVERY_MS = 50

export type Daemon = {
  name: string
  command: string
  args: string[]
  /** Added to the environment of who starts it. */
  env?: Record<string, string>
  isReady: () => Promise<boolean>
  readyWithinMs: number
}

/** What is needed to start it again. */
export type CommandLine = Pick<Daemon, 'command' | 'args'>

/** Where it is kept, and in the other its process, by its number in the cluster's own namespace. */
export const commandFile = (name: string) => `daemons/${name}.json`
export const pidFile = (name: string) => `daemons/${name}.pid`

/**
 * Starts a process that stays when this one ends, and resolves when it is ready. What it says is in the cluster's logs.
 * Its end is the namespace's: see space.ts.
 */
export async function startDaemon(daemon: Daemon, place: Place): Promise<void> {
  const { name, command, args, env, isReady, readyWithinMs } = daemon
  mkdirSync(place.logs, { recursive: true })
  const log = openSync(join(place.logs, `${name}.log`), 'w')
  const child = spawn(command, args, {
    detached: true,
    env: { ...process.env, ...env },
    stdio: ['ignore', log, log],
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
  writeIn(place, commandFile(name), JSON.stringify({ command, args } satisfies CommandLine))
  writeIn(place, pidFile(name), String(child.pid))
}
