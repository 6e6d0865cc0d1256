import { readdirSync, rmSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { LogBook } from './log-book.ts'
import { inWords, type LogLine } from './log-lines.ts'
import { Child, type Process, type Spec } from './process.ts'
import { claim, type PidRecord } from './record.ts'

/** Wait before the first restart of a process that died; doubled with each death, as Kubernetes does. */
const RESTART_FIRST_MS = 500
const RESTART_MAX_MS = 30_000
/** One that lived this long is not in a crash loop: its next death counts as the first. */
const PROVEN_AFTER_MS = 60_000

/** Lines shown of a process that died. */
const LAST_LINES = 8

export type FleetOptions = {
  /** The folder that this fleet owns: pid record and logs. */
  dir: string
  /** Where the shop answers, for a second runner to tell. */
  url: string
  onLine?: (line: LogLine) => void
  /** Whether a process that dies by itself is started again. Default false. */
  restart?: boolean
  /** false begins with an empty folder. Default true. */
  keepData?: boolean
  /** Ends a start that is under way, with all that was started. */
  signal?: AbortSignal
}

export type Tier = 'service' | 'sidecar' | 'backbone'

/** Starts something in a fleet of its own. When that fails or is given up, all is stopped before this rejects. */
export async function inFleet<T>(options: FleetOptions, start: (fleet: Fleet) => Promise<T>): Promise<T> {
  const fleet = await Fleet.open(options)
  const giveUp = () => void fleet.stop()
  options.signal?.addEventListener('abort', giveUp)
  try {
    const started = await start(fleet)
    fleet.opened()
    return started
  } catch (error) {
    await fleet.stop()
    throw error
  } finally {
    options.signal?.removeEventListener('abort', giveUp)
  }
}

/** All processes of one shop: their record on disk, their logs, and what happens when one dies. */
export class Fleet {
  readonly logBook: LogBook
  /** Names of the processes of a dead runner that had to be ended first. */
  readonly leftovers: string[]
  readonly #record: PidRecord
  readonly #restarts: boolean
  #isOpen = false
  readonly #processes = new Map<string, { child: Child; tier: Tier }>()
  readonly #closing = new AbortController()
  #stopped: Promise<void> | null = null

  private constructor(options: FleetOptions, record: PidRecord, leftovers: string[]) {
    this.logBook = new LogBook(path.join(options.dir, 'logs'), options.onLine ?? (() => undefined))
    this.leftovers = leftovers
    this.#record = record
    this.#restarts = options.restart ?? false
  }

  /** Throws AlreadyRunning when a living runner owns the folder. */
  static async open(options: FleetOptions): Promise<Fleet> {
    const { record, leftovers } = await claim(options.dir, options.url)
    const old = options.keepData === false ? contentOf(options.dir) : ['logs']
    for (const name of old) rmSync(path.join(options.dir, name), { recursive: true, force: true })
    const fleet = new Fleet(options, record, leftovers)
    if (leftovers.length > 0) fleet.say(`ended what a killed runner had left: ${leftovers.join(', ')}`)
    return fleet
  }

  /** From now on a death is no longer a start that fails, and is told by that, but news, and maybe repaired. */
  opened(): void {
    this.#isOpen = true
  }

  define(spec: Spec, tier: Tier): Process {
    // A start that was given up must not bring forth another process after the last was stopped.
    this.#closing.signal.throwIfAborted()
    let deaths = 0
    let startedAt = 0
    const child = new Child(spec, {
      spoke: (text) => this.logBook.add(spec.name, text),
      spawned: (pid) => {
        startedAt = performance.now()
        this.#record.add(spec.name, pid)
      },
      ended: (pid, how, asked) => {
        this.#record.remove(pid)
        if (asked || !this.#isOpen || this.#closing.signal.aborted) return
        deaths = performance.now() - startedAt > PROVEN_AFTER_MS ? 1 : deaths + 1
        this.#died(child, how, deaths)
      },
    })
    this.#processes.set(spec.name, { child, tier })
    return child
  }

  processes(): Process[] {
    return [...this.#processes.values()].map(({ child }) => child)
  }

  forget(process: Process): void {
    this.#processes.delete(process.name)
  }

  /** A line of the runner itself, among those of its processes. */
  say(message: string, level = 30): void {
    this.logBook.add('runner', JSON.stringify({ level, msg: message }))
  }

  /**
   * Stops every process in order, and gives the folder free. A sidecar that is asked once takes nothing new
   * but still carries what its service has to say; asked a second time it goes. All need the backbone.
   */
  stop(): Promise<void> {
    this.#stopped ??= this.#stopAll()
    return this.#stopped
  }

  async #stopAll(): Promise<void> {
    this.#closing.abort()
    const lingering = this.#stopTier('sidecar')
    await this.#stopTier('service')
    await this.#stopTier('sidecar')
    await lingering
    await this.#stopTier('backbone')
    this.#record.close()
    this.logBook.close()
  }

  async #stopTier(tier: Tier): Promise<void> {
    const members = [...this.#processes.values()].filter((member) => member.tier === tier)
    await Promise.all(members.map(({ child }) => child.stop()))
  }

  #died(child: Child, how: string, deaths: number): void {
    const waitMs = Math.min(RESTART_FIRST_MS * 2 ** (deaths - 1), RESTART_MAX_MS)
    const next = this.#restarts ? `starting it again in ${waitMs / 1000} s` : 'it stays down'
    this.say(`${child.name} ended by itself (${how}); ${next}. Its last lines:`, 50)
    for (const line of this.logBook.tail(child.name, LAST_LINES)) {
      this.say(`  ${child.name}: ${inWords(line)}`, 50)
    }
    if (this.#restarts) void this.#startAgain(child, waitMs)
  }

  /** A start that fails by a death comes here again by itself, with a longer wait. */
  async #startAgain(child: Child, waitMs: number): Promise<void> {
    try {
      await delay(waitMs, undefined, { signal: this.#closing.signal })
      if (child.running || !this.#processes.has(child.name)) return
      await child.start()
      this.say(`${child.name} is back`)
    } catch (error) {
      if (!this.#closing.signal.aborted) this.say((error as Error).message, 50)
    }
  }
}

/** All but the record, which is this runner's own. */
function contentOf(dir: string): string[] {
  return readdirSync(dir).filter((name) => name !== 'processes.json')
}
