import { spawn } from 'node:child_process'
import { text } from 'node:stream/consumers'
import { root } from '@tideshop/run/arguments'

/** Waits for the end of a command, typed in the repository's folder; `said` is what it wrote to stdout. */
export async function typed(command: string, ...args: string[]): Promise<{ code: number; said: string }> {
  const child = spawn(command, args, { cwd: root, stdio: ['ignore', 'pipe', 'inherit'] })
  const code = new Promise<number>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', resolve)
  })
  const [said, ended] = await Promise.all([text(child.stdout), code])
  return { code: ended, said }
}
