import { setTimeout as pause } from 'node:timers/promises'

const ASK_EVERY_MS = 1_000
const NAMED_MAX = 4

export type Waiting = { signal: AbortSignal; note: (line: string) => void }

type Awaited = { what: string; withinMs: number; missing: () => Promise<string[]> }

/**
 * Asks what is missing until nothing is, and tells it meanwhile; after the bound it throws and names it. An API server that does
 * not answer once is asked again.
 */
export async function untilNothingIsMissing(
  { what, withinMs, missing }: Awaited,
  { signal, note }: Waiting,
): Promise<void> {
  const deadline = performance.now() + withinMs
  while (true) {
    signal.throwIfAborted()
    const still = await missing().catch((error: Error) => [lastLine(error)])
    if (still.length === 0) return
    const words = someOf(still)
    if (performance.now() > deadline)
      throw new Error(`${what}: after ${withinMs / 1000} s there is still missing: ${words}`)
    note(`waits for ${words}`)
    await pause(ASK_EVERY_MS, undefined, { signal })
  }
}

export function someOf(names: string[]): string {
  const more = names.length - NAMED_MAX
  return names.slice(0, NAMED_MAX).join(', ') + (more > 0 ? ` and ${more} more` : '')
}

/** What kubectl said last is what went wrong. */
export function lastLine(error: Error & { stderr?: string }): string {
  return (error.stderr || error.message).trim().split('\n').at(-1) ?? ''
}
