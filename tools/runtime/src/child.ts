import { execFile, spawn } from 'node:child_process'
import { setPriority } from 'node:os'
import { createInterface } from 'node:readline'

const ASK_MS = 10_000
const ERROR_LINES = 20
const KILL_AFTER_MS = 3_000
const BUILD_PRIORITY = 10

/** What a program says on both streams when asked (`--version`), or null when it cannot be run in time. */
export function says(command: string, args: string[], env: NodeJS.ProcessEnv): Promise<string | null> {
  return new Promise((resolve) => {
    // java writes its version to stderr, the others to stdout.
    execFile(command, args, { env, timeout: ASK_MS }, (error, stdout, stderr) => {
      resolve(error === null ? `${stdout}${stderr}` : null)
    })
  })
}

export type BuildContext = {
  env: NodeJS.ProcessEnv
  onLine: (line: string) => void
  signal: AbortSignal | undefined
}

export type Build = BuildContext & { command: string; args: string[]; cwd: string }

/** Runs a build to its end, politely (`nice`). A failed one throws with the last lines that it wrote. */
export async function runBuild({ command, args, cwd, env, onLine, signal }: Build): Promise<void> {
  signal?.throwIfAborted()
  // A caller with a signal has taken over Ctrl-C: then a group of its own lets one kill reach every compiler.
  // Without one the build stays in the terminal's group and ends with it.
  const grouped = signal !== undefined
  const child = spawn(command, args, { cwd, env, detached: grouped, stdio: ['ignore', 'pipe', 'pipe'] })
  const last: string[] = []
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on('line', (line) => {
      last.push(line)
      if (last.length > ERROR_LINES) last.shift()
      onLine(line)
    })
  }

  const stop = () => killGroup(child.pid, grouped)
  signal?.addEventListener('abort', stop, { once: true })
  try {
    const code = await new Promise<number | null>((resolve, reject) => {
      child.once('spawn', () => lowerPriority(child.pid))
      child.once('error', reject)
      child.once('close', resolve)
    })
    signal?.throwIfAborted()
    if (code !== 0) throw new Error(`${command} ${args[0] ?? ''} failed:\n${last.join('\n')}`)
  } finally {
    signal?.removeEventListener('abort', stop)
  }
}

function killGroup(pid: number | undefined, grouped: boolean): void {
  if (pid === undefined) return
  const target = grouped ? -pid : pid
  sendTo(target, 'SIGTERM')
  setTimeout(() => sendTo(target, 'SIGKILL'), KILL_AFTER_MS).unref()
}

function sendTo(target: number, signal: NodeJS.Signals): void {
  try {
    process.kill(target, signal)
  } catch {
    // Already gone, which is what was wanted.
  }
}

function lowerPriority(pid: number | undefined): void {
  try {
    if (pid !== undefined) setPriority(pid, BUILD_PRIORITY)
  } catch {
    // Ended already, or not allowed here: it only builds less politely.
  }
}
