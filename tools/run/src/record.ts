import { execFileSync } from 'node:child_process'
import { existsSync, linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { sendTo } from './process.ts'

/**
 * Who runs a shop's folder. The runner writes its own pid and those of its children to `processes.json`.
 * A later start that finds the record of a living runner leaves all as it is; after a runner that was
 * killed it ends what was left. A pid alone proves nothing, since the system gives numbers out again:
 * a process is only taken for the recorded one if it also started at the same moment.
 */
export type Identity = { pid: number; startedAt: string }
export type RecordedProcess = Identity & { name: string }
type Content = { runner: Identity & { url: string }; processes: RecordedProcess[] }

/** Leftovers are asked to go first, so that Kafka closes its files; then they are killed. */
const ASKED_TO_GO_MS = 8000
const KILLED_MS = 5000
const LOOK_EVERY_MS = 50

/** The folder belongs to a runner that lives. Nothing was changed. */
export class AlreadyRunning extends Error {
  override name = 'AlreadyRunning'
  readonly pid: number
  readonly url: string

  constructor(pid: number, url: string) {
    super(`the shop runs already: ${url} (runner's pid ${pid})`)
    this.pid = pid
    this.url = url
  }
}

export class PidRecord {
  readonly #file: string
  readonly #content: Content

  constructor(file: string, content: Content) {
    this.#file = file
    this.#content = content
  }

  add(name: string, pid: number): void {
    const startedAt = startTime(pid)
    if (startedAt === null) return
    this.#content.processes.push({ name, pid, startedAt })
    this.#write()
  }

  remove(pid: number): void {
    this.#content.processes = this.#content.processes.filter((entry) => entry.pid !== pid)
    this.#write()
  }

  close(): void {
    rmSync(this.#file, { force: true })
  }

  /** In one step, since a runner can be killed at any instant and half a record protects nobody. */
  #write(): void {
    writeFileSync(`${this.#file}.new`, JSON.stringify(this.#content, null, 2))
    renameSync(`${this.#file}.new`, this.#file)
  }
}

/** Claims the folder for this runner, after it ended what a dead one left; says the names of those. */
export async function claim(dir: string, url: string): Promise<{ record: PidRecord; leftovers: string[] }> {
  mkdirSync(dir, { recursive: true })
  const file = fileIn(dir)
  const leftovers = await clearDeadRunner(file)
  const self = { pid: process.pid, startedAt: startTime(process.pid) ?? '' }
  const content: Content = { runner: { ...self, url }, processes: [] }
  const draft = `${file}.${process.pid}`
  writeFileSync(draft, JSON.stringify(content, null, 2))
  try {
    // Of two runners that start at the same moment only one makes the link, and its file is never half written.
    linkSync(draft, file)
  } catch (error) {
    const other = read(file)?.runner
    throw other ? new AlreadyRunning(other.pid, other.url) : error
  } finally {
    rmSync(draft)
  }
  return { record: new PidRecord(file, content), leftovers }
}

/** For the impatient: SIGKILL to all that this runner recorded, at once and without waiting. */
export function killRecorded(dir: string): void {
  const file = fileIn(dir)
  const content = read(file)
  if (content?.runner.pid !== process.pid) return
  for (const { pid } of content.processes.filter(isAlive)) sendTo(pid, 'SIGKILL')
  rmSync(file, { force: true })
}

async function clearDeadRunner(file: string): Promise<string[]> {
  const content = read(file)
  if (content === null) return []
  if (isAlive(content.runner)) throw new AlreadyRunning(content.runner.pid, content.runner.url)
  const left = content.processes.filter(isAlive)
  await end(left)
  rmSync(file, { force: true })
  return left.map((entry) => entry.name)
}

function fileIn(dir: string): string {
  return path.join(dir, 'processes.json')
}

function read(file: string): Content | null {
  if (!existsSync(file)) return null
  return JSON.parse(readFileSync(file, 'utf8')) as Content
}

async function end(left: RecordedProcess[]): Promise<void> {
  for (const { pid } of left) {
    sendTo(pid, 'SIGTERM')
    // One that was paused would not see the signal before it is resumed.
    sendTo(pid, 'SIGCONT')
  }
  await untilGone(left, ASKED_TO_GO_MS)
  for (const { pid } of left.filter(isAlive)) sendTo(pid, 'SIGKILL')
  await untilGone(left, KILLED_MS)
}

async function untilGone(left: RecordedProcess[], withinMs: number): Promise<void> {
  const deadline = performance.now() + withinMs
  while (left.some(isAlive) && performance.now() < deadline) await delay(LOOK_EVERY_MS)
}

export function isAlive(identity: Identity): boolean {
  return startTime(identity.pid) === identity.startedAt
}

/** When the process started, in the system's own words; null when there is none, or only its remains. */
export function startTime(pid: number): string | null {
  try {
    return process.platform === 'linux' ? linuxStartTime(pid) : psStartTime(pid)
  } catch {
    return null
  }
}

/** Ticks since boot, with the boot's id: after a reboot the same tick comes again. */
function linuxStartTime(pid: number): string | null {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  // The second field is the program's name in parentheses and may hold spaces.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const [state, ticks] = [fields[0], fields[19]]
  if (state === 'Z' || state === 'X' || ticks === undefined) return null
  return `${readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()} ${ticks}`
}

function psStartTime(pid: number): string | null {
  const env = { ...process.env, LC_ALL: 'C' }
  return execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { env, encoding: 'utf8' }).trim() || null
}
