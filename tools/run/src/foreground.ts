import path from 'node:path'
import { styleText } from 'node:util'
import { lastLinesOf } from './last-lines.ts'
import { type LogLine, pretty } from './log-lines.ts'
import { NotStarted } from './process.ts'
import { since, withProgress } from './progress.ts'
import { AlreadyRunning, killRecorded } from './record.ts'
import type { Report } from './steps.ts'

/**
 * The life of a runner in a terminal: start with progress, say that it is open, follow the logs until Ctrl-C,
 * stop everything. A second Ctrl-C kills at once. Resolves with the exit code.
 */
export type Run = {
  /** What is started, for sentences: `the shop`. */
  what: string
  /** Its own folder. */
  dir: string
  steps: string[]
  start: (wiring: Wiring) => Promise<{ stop(): Promise<void> }>
  /** What to say once it runs. */
  welcome: (took: string) => string
  /** Sources are padded to this width. */
  logWidth: number
  /** Whether a line is shown; those of the runner itself always are. */
  follows: (line: LogLine) => boolean
}

export type Wiring = { report: Report; onLine: (line: LogLine) => void; signal: AbortSignal }

const STOPPED = 0
const NOT_STARTED = 1

export async function foreground(run: Run): Promise<number> {
  const stopping = stopSignals(run.dir)
  const begunAt = performance.now()
  const underWay = new Set<string>()
  let open = false
  const onLine = (line: LogLine) => {
    if (stopping.aborted) return
    if (line.source === 'runner' || (open && run.follows(line))) show(line, run.logWidth)
  }
  let started: { stop(): Promise<void> }
  try {
    started = await withProgress(run.steps, (report) => {
      return run.start({ report: noting(report, underWay), onLine, signal: stopping })
    })
  } catch (error) {
    if (stopping.aborted) return stoppedEarly(run, underWay)
    // Of two starts the later one has not failed: what it was to bring is there.
    if (error instanceof AlreadyRunning) console.error(error.message)
    else explain(error as Error, run)
    return NOT_STARTED
  }
  // The signal came between the last step and here: nobody was told that it is open, so it never was.
  if (stopping.aborted) {
    await started.stop()
    return stoppedEarly(run, underWay)
  }
  open = true
  console.log(run.welcome(since(begunAt)))
  await aborted(stopping)
  const stoppingAt = performance.now()
  console.log(`\nstopping ${run.what} … (Ctrl-C again kills at once)`)
  await started.stop()
  console.log(`${run.what} is closed, ${since(stoppingAt)}`)
  return STOPPED
}

/** The first signal asks, the second kills. A terminal that is gone counts as a signal, too. */
function stopSignals(dir: string): AbortSignal {
  const stopping = new AbortController()
  const heard = () => {
    if (stopping.signal.aborted) {
      killRecorded(dir)
      process.exit(STOPPED)
    }
    stopping.abort()
  }
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, heard)
  // Nobody reads any more (`pnpm start | head`): without a listener this would end the runner alone.
  process.stdout.on('error', () => stopping.abort())
  return stopping.signal
}

async function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return
  // An event listener does not keep the process alive; its children's pipes do.
  await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }))
}

function show(line: LogLine, width: number): void {
  console.log(pretty(line, width, coloured()))
}

function coloured(): boolean {
  const { NO_COLOR } = process.env
  return process.stdout.isTTY && !NO_COLOR
}

/** Keeps the steps that are begun and not done. */
function noting(report: Report, underWay: Set<string>): Report {
  return (step, state, note) => {
    if (state === 'begun') underWay.add(step)
    if (state === 'done') underWay.delete(step)
    report(step, state, note)
  }
}

/** Says what it still waited for: whoever could use a half-open shop will wonder. */
function stoppedEarly(run: Run, underWay: Set<string>): number {
  const waited = underWay.size === 0 ? '' : ` (it waited for: ${[...underWay].join(', ')})`
  console.log(`${run.what} was stopped before it was open${waited}; nothing of it runs`)
  return STOPPED
}

function explain(error: Error, run: Run): void {
  const red = (text: string) => (coloured() ? styleText('red', text) : text)
  console.error(`\n${red(`could not start ${run.what}:`)} ${error.message}`)
  if (!(error instanceof NotStarted)) return
  const { file, lines } = lastLinesOf(run.dir, error.process)
  const shown = path.relative(process.cwd(), file)
  console.error(
    lines.length === 0 ? `It wrote nothing to ${shown}.` : `The last lines of ${shown}:\n${lines.join('\n')}`,
  )
  console.error('Everything is stopped again. If the data may be the cause, begin anew with --fresh.')
}
