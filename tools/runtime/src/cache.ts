import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, readdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { homeOf } from './find.ts'

/*
 * A folder of the cache is either whole or not there: a build fills a folder beside it, which is renamed at the
 * end. Two builders at once would only waste work, so the lock may be simple: a file with its owner's process id,
 * touched as long as the owner lives. Whoever finds it untouched, or its owner dead, takes it over.
 */

const HEARTBEAT_MS = 2_000
/** After so long without a touch a lock is nobody's, even if its process id lives on in another process. */
const ABANDONED_MS = 30_000
const LOOK_AGAIN_MS = 250
const SAY_AGAIN_MS = 2_000

export function cacheRoot(env: NodeJS.ProcessEnv): string {
  const { TIDESHOP_CACHE, XDG_CACHE_HOME } = env
  if (TIDESHOP_CACHE) return resolve(TIDESHOP_CACHE)
  return join(XDG_CACHE_HOME || join(homeOf(env), '.cache'), 'tideshop')
}

/** `<part>-<version>-<hash>`: whatever changes the result changes the name. */
export async function cacheName(
  part: string,
  version: string,
  files: string[],
  flags: string[],
): Promise<string> {
  const hash = createHash('sha256').update([process.platform, process.arch, ...flags].join('\0'))
  for (const file of files) hash.update(await readFile(file))
  return `${part}-${version.replaceAll(' ', '-')}-${hash.digest('hex').slice(0, 10)}`
}

export type Keeping = {
  folder: string
  fill: (folder: string) => Promise<void>
  report: (line: string) => void
  signal: AbortSignal | undefined
}

/** Fills `folder` if it is not there, once, however many ask for it at the same time. */
export async function keep({ folder, fill, report, signal }: Keeping): Promise<void> {
  if (existsSync(folder)) return
  await mkdir(join(folder, '..'), { recursive: true })
  const unlock = await lock(folder, report, signal)
  try {
    if (existsSync(folder)) return
    await deleteLeftovers(folder)
    const unfinished = `${folder}.${process.pid}.unfinished`
    await mkdir(unfinished)
    try {
      await fill(unfinished)
      await rename(unfinished, folder).catch((error) => {
        // Someone took the lock over and was faster: theirs is the same.
        if (!existsSync(folder)) throw error
      })
    } finally {
      await rm(unfinished, { recursive: true, force: true })
    }
  } finally {
    await unlock()
  }
}

async function lock(
  folder: string,
  report: Keeping['report'],
  signal: AbortSignal | undefined,
): Promise<() => Promise<void>> {
  const file = `${folder}.lock`
  let saidAt = 0
  while (!(await take(file))) {
    signal?.throwIfAborted()
    const owner = await ownerOf(file)
    if (owner === null) {
      await rm(file, { force: true })
      continue
    }
    if (Date.now() - saidAt >= SAY_AGAIN_MS) {
      report(`waiting for process ${owner}, which is providing the same`)
      saidAt = Date.now()
    }
    await pause(LOOK_AGAIN_MS, undefined, { signal })
  }
  const heartbeat = setInterval(() => touch(file), HEARTBEAT_MS)
  return async () => {
    clearInterval(heartbeat)
    await rm(file, { force: true })
  }
}

async function take(file: string): Promise<boolean> {
  try {
    await writeFile(file, String(process.pid), { flag: 'wx' })
    return true
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false
    throw error
  }
}

/** The living owner of a lock, or null when it is nobody's any more. */
async function ownerOf(file: string): Promise<number | null> {
  try {
    const untouchedMs = Date.now() - (await stat(file)).mtimeMs
    const owner = Number(await readFile(file, 'utf8'))
    // A lock is created empty and written a moment later: an empty one is young, or abandoned.
    const alive = owner === 0 ? untouchedMs < SAY_AGAIN_MS : lives(owner) && untouchedMs < ABANDONED_MS
    return alive ? owner : null
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return null
    throw error
  }
}

/** What builders that were killed left behind. */
async function deleteLeftovers(folder: string): Promise<void> {
  const parent = join(folder, '..')
  for (const name of await readdir(parent)) {
    const owner = /^(.+)\.(\d+)\.unfinished$/.exec(name)
    if (owner === null || join(parent, owner[1] ?? '') !== folder) continue
    if (lives(Number(owner[2])) && Number(owner[2]) !== process.pid) continue
    await rm(join(parent, name), { recursive: true, force: true })
  }
}

async function touch(file: string): Promise<void> {
  const now = new Date()
  await utimes(file, now, now).catch(() => {
    // Taken over, because this machine slept: the other builder's folder is as good as ours.
  })
}

function lives(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    // EPERM: it lives, and is somebody else's.
    return codeOf(error) === 'EPERM'
  }
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined
}
