import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { get } from 'node:http'
import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'

/** How often a starting process is asked whether it is ready. */
const ASK_EVERY_MS = 25

/** How long the last words of a process may take to arrive after its end. */
const LAST_WORDS_MS = 500

/** SIGKILL cannot be refused, but a process in the kernel's hands (a slow disk) may leave late. */
const KILLED_WITHIN_MS = 10_000

export type Process = {
  readonly name: string
  /** Of the last start; null before the first. */
  readonly pid: number | null
  readonly running: boolean
  /** Resolves when it is ready. Rejects, and leaves nothing behind, when it dies or its bound passes. */
  start(): Promise<void>
  /** SIGTERM, then SIGKILL after the bound of this process. */
  stop(): Promise<void>
  /** SIGKILL; resolves when it is gone. */
  kill(): Promise<void>
  /** SIGSTOP: alive, but silent. */
  pause(): void
  resume(): void
}

/** How a process is started, when it counts as ready, and how long it may take. */
export type Spec = {
  name: string
  command: string
  args: string[]
  cwd: string
  /** Added to the runner's own environment. */
  env: Record<string, string>
  isReady: () => Promise<boolean>
  readyWithinMs: number
  stopWithinMs: number
  /** How often it is started when it ends by itself before it is ready. Default once. */
  tries?: number
}

/** Who is told what happens to a process. */
export type Witness = {
  spoke(text: string): void
  spawned(pid: number): void
  /** `asked` is false when it ended by itself, and is not about to be started again. */
  ended(pid: number, how: string, asked: boolean): void
}

/** A process that did not become ready. */
export class NotStarted extends Error {
  override name = 'NotStarted'
  readonly process: string

  constructor(process: string, why: string) {
    super(`${process} ${why}`)
    this.process = process
  }
}

/**
 * One child of the runner, in a process group of its own: Ctrl-C in the terminal then reaches only the
 * runner, which stops all in order, and a signal reaches the child together with what it started itself.
 */
export class Child implements Process {
  readonly name: string
  readonly #spec: Spec
  readonly #witness: Witness
  #child: ChildProcess | null = null
  #gone: Promise<void> = Promise.resolve()
  #how = ''
  /** Whether its end is wanted. */
  #asked = false
  /** Of a start that is under way. */
  #triesLeft = 0
  /** Why the runner gave it up. */
  #verdict: string | null = null

  constructor(spec: Spec, witness: Witness) {
    this.name = spec.name
    this.#spec = spec
    this.#witness = witness
  }

  get pid(): number | null {
    return this.#child?.pid ?? null
  }

  get running(): boolean {
    return this.#child !== null && this.#child.exitCode === null && this.#child.signalCode === null
  }

  async start(): Promise<void> {
    if (this.running) throw new Error(`${this.name} runs already`)
    await this.#gone
    this.#asked = false
    this.#triesLeft = this.#spec.tries ?? 1
    do {
      this.#triesLeft -= 1
      await this.#spawn()
      if (await this.#isReadyInTime()) return
      await this.#gone
    } while (this.#isRetried())
    throw new NotStarted(this.name, this.#verdict ?? `ended before it was ready (${this.#how})`)
  }

  /** Of one that ended by itself before it was ready. */
  #isRetried(): boolean {
    return this.#triesLeft > 0 && this.#verdict === null && !this.#asked
  }

  /** False when it ended, by itself or because its time was over. */
  async #isReadyInTime(): Promise<boolean> {
    const deadline = performance.now() + this.#spec.readyWithinMs
    while (this.running) {
      if (await this.#spec.isReady()) {
        this.#triesLeft = 0
        return true
      }
      if (performance.now() > deadline && this.#verdict === null) {
        this.#verdict = `was not ready within ${this.#spec.readyWithinMs / 1000} s`
        this.#signal('SIGKILL')
      }
      await delay(ASK_EVERY_MS)
    }
    return false
  }

  async stop(): Promise<void> {
    // Also of one that has just ended, and would be started again.
    this.#asked = true
    if (!this.running) return this.#gone
    this.#signal('SIGTERM')
    // A paused process would not see the signal before it is resumed.
    this.#signal('SIGCONT')
    if (!(await this.#goneWithin(this.#spec.stopWithinMs))) await this.kill()
  }

  async kill(): Promise<void> {
    this.#asked = true
    if (!this.running) return this.#gone
    this.#signal('SIGKILL')
    if (!(await this.#goneWithin(KILLED_WITHIN_MS))) throw new Error(`${this.name} survived SIGKILL`)
  }

  pause(): void {
    this.#signal('SIGSTOP')
  }

  resume(): void {
    this.#signal('SIGCONT')
  }

  async #spawn(): Promise<void> {
    const { command, args, cwd, env } = this.#spec
    this.#verdict = null
    const child = spawn(command, args, {
      cwd,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    })
    for (const stream of [child.stdout, child.stderr]) {
      createInterface({ input: stream }).on('line', (line) => this.#witness.spoke(line))
    }
    const failed = once(child, 'error').then(([error]) => error as Error)
    if (child.pid === undefined) {
      throw new NotStarted(this.name, `cannot be started: ${(await failed).message}`)
    }
    // What fails from here on is a signal that came too late: the process's end says the rest.
    failed.catch(() => undefined)
    this.#child = child
    this.#witness.spawned(child.pid)
    this.#gone = this.#untilGone(child, child.pid)
  }

  async #untilGone(child: ChildProcess, pid: number): Promise<void> {
    const closed = once(child, 'close')
    const [code, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null]
    this.#how = signal === null ? `exit code ${code}` : signal
    sendTo(pid, 'SIGKILL')
    await Promise.race([closed, delay(LAST_WORDS_MS)])
    const isRetried = this.#isRetried()
    if (isRetried) this.#witness.spoke(`ended before it was ready (${this.#how}): started again`)
    this.#witness.ended(pid, this.#verdict ?? this.#how, this.#asked || isRetried)
  }

  async #goneWithin(ms: number): Promise<boolean> {
    const late = new AbortController()
    const gone = this.#gone.then(() => true)
    const bound = delay(ms, false, { signal: late.signal }).catch(() => false)
    const result = await Promise.race([gone, bound])
    late.abort()
    return result
  }

  #signal(signal: NodeJS.Signals): void {
    if (this.running && this.pid !== null) sendTo(this.pid, signal)
  }
}

/** To the whole process group of `pid`; a group that is gone already is what was wanted. */
export function sendTo(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

/**
 * True when the URL answers with that status within the time. Not by `fetch`, which refuses ports that browsers
 * hold for dangerous, such as 10080.
 */
export function answers(url: string, status: number, withinMs = 1000): Promise<boolean> {
  return new Promise((resolve) => {
    const request = get(url, { timeout: withinMs, agent: false }, (response) => {
      response.resume()
      resolve(response.statusCode === status)
    })
    request.once('timeout', () => request.destroy())
    request.once('error', () => resolve(false))
  })
}
