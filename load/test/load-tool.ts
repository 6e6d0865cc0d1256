import { type ChildProcess, spawn } from 'node:child_process'

const MAIN = `${import.meta.dirname}/../src/main.ts`
const BENCH = `${import.meta.dirname}/../bench/main.ts`

/** `pnpm load …` as it is typed: what it prints, and the exit code that a script would see. */
export async function load(...args: string[]): Promise<{ code: number | null; said: string }> {
  return ended(startLoad(...args))
}

export function startLoad(...args: string[]): ChildProcess {
  return start(MAIN, args)
}

/** `pnpm bench …`, in the same way. */
export async function bench(...args: string[]): Promise<{ code: number | null; said: string }> {
  return ended(start(BENCH, args))
}

function start(main: string, args: string[]): ChildProcess {
  return spawn(process.execPath, [main, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
}

export async function ended(tool: ChildProcess): Promise<{ code: number | null; said: string }> {
  let said = ''
  tool.stdout?.on('data', (part) => {
    said += part
  })
  tool.stderr?.on('data', (part) => {
    said += part
  })
  const code = await new Promise<number | null>((resolve) => {
    tool.once('close', resolve)
  })
  return { code, said }
}
