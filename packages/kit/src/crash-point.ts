import { readFileSync } from 'node:fs'

/**
 * Places between two steps where a process may die, by name, so that a test can let it die just there. `CRASH_AT` is
 * `<point>:<n>`: the process kills itself with SIGKILL when it comes to that point for the n-th time. `@<file>` reads
 * it from a file at the start, so that a test can say anew what the next life has to die of. Unset, it does nothing.
 */
export const crashPoints = [
  /** A batch has come, nothing was done about it. */
  'inbox.received',
  /** Decided, nothing written. */
  'aggregates.decided',
  /** Effects are written, nothing is told. */
  'inbox.handled',
  /** Everything is told, nothing is acknowledged. */
  'inbox.published',
  /** A caller's operation is written with its outbox; he has no promise yet. */
  'door.written',
  /** What an outbox held is told, and still stands in it. */
  'outbox.published',
  /** A sweep has found what waits too long. */
  'outbox.found',
  /** A job has come from its queue, nothing was done about it. */
  'job.received',
  /** Its effect is written, nothing is handed on. */
  'job.written',
  /** A part of what has to be handed on is. */
  'job.handing-on',
  /** All is handed on, nothing is acknowledged. */
  'job.handled',
  /** What an order wants of the stock is written, no actor was asked. */
  'allocation.intended',
  /** One actor has answered; others may still have to be asked. */
  'allocation.asking',
  /** All have answered, nothing is written. */
  'allocation.asked',
  /** What an order wants of its money is written, the provider was not asked. */
  'payment.intended',
  /** The provider has answered, nothing is written. */
  'payment.asked',
  /** The sweep has told what came of it, and still stands to tell it. */
  'payment.told',
] as const
export type CrashPoint = (typeof crashPoints)[number]

let armed: { point: CrashPoint; visitsLeft: number } | null = null

/** Called once, at the start of a service. Throws for what is no point. */
export function armCrash(setting: string | undefined): void {
  const text = setting?.startsWith('@') ? contentOf(setting.slice(1)) : (setting ?? '')
  if (text === '') return
  const [name, visits = '1'] = text.split(':')
  const point = crashPoints.find((one) => one === name)
  if (point === undefined || !/^[1-9]\d*$/.test(visits)) {
    throw new Error(`CRASH_AT=${text} is not <point>:<n>; points are ${crashPoints.join(', ')}`)
  }
  armed = { point, visitsLeft: Number(visits) }
}

/** Marks the place; the process may end here. */
export function crashPoint(point: CrashPoint): void {
  if (armed?.point !== point) return
  armed.visitsLeft -= 1
  if (armed.visitsLeft === 0) process.kill(process.pid, 'SIGKILL')
}

/** No file, no crash. */
function contentOf(file: string): string {
  try {
    return readFileSync(file, 'utf8').trim()
  } catch {
    return ''
  }
}
