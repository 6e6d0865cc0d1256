import { styleText } from 'node:util'
import { Listr, type ListrTask } from 'listr2'
import type { Report, StepState } from './steps.ts'

/** Shows the steps of `work` while it runs: a live list in a terminal, plain lines elsewhere. */
export async function withProgress<T>(steps: string[], work: (report: Report) => Promise<T>): Promise<T> {
  const { CI } = process.env
  // A terminal without a width, as some containers give, would get one letter per line.
  const { isTTY, columns } = process.stdout
  return isTTY && columns > 0 && !CI ? liveList(steps, work) : work(plainLines())
}

/** Milliseconds between two notes of one step: a log should tell that it goes on, not how every second passed. */
const NOTE_EVERY_MS = 10_000

export function plainLines(): Report {
  const begunAt = new Map<string, number>()
  const notedAt = new Map<string, number>()
  return (step, state, note) => {
    if (state === 'begun') begunAt.set(step, performance.now())
    if (state === 'note' && performance.now() - (notedAt.get(step) ?? -NOTE_EVERY_MS) >= NOTE_EVERY_MS) {
      notedAt.set(step, performance.now())
      console.log(`  ${step}: ${note}`)
    }
    if (state === 'done') console.log(`✔ ${step} ${since(begunAt.get(step))}`)
    if (state === 'failed') console.log(`✖ ${step} ${since(begunAt.get(step))}`)
  }
}

async function liveList<T>(steps: string[], work: (report: Report) => Promise<T>): Promise<T> {
  const lines = new Map(steps.map((step) => [step, new LiveLine(step)]))
  const list = new Listr(
    [...lines.values()].map((line) => line.task),
    // The signals are for the runner, which stops what it started; the list must not end the process.
    { concurrent: true, exitOnError: false, registerSignalListeners: false },
  )
  const shown = list.run()
  try {
    return await work((step, state, note) => lines.get(step)?.turn(state, note))
  } finally {
    for (const line of lines.values()) line.over()
    await shown
  }
}

/** A line of the list: faint while it waits, timed when done, skipped when the start ended before its turn. */
class LiveLine {
  readonly task: ListrTask
  readonly #step: string
  readonly #end = Promise.withResolvers<'done' | 'failed' | 'over'>()
  #begunAt = 0
  #shown: { title?: string | undefined; output: string | undefined } | undefined

  constructor(step: string) {
    this.#step = step
    this.task = {
      title: styleText('dim', step),
      task: async (_, task) => {
        this.#shown = task
        const end = await this.#end.promise
        if (end === 'failed') throw new Error(step)
        if (end === 'over') return task.skip(`${step}: not reached`)
        task.title = `${step} ${styleText('dim', since(this.#begunAt))}`
      },
    }
  }

  turn(state: StepState, note = ''): void {
    if (state === 'begun') this.#begunAt = performance.now()
    if (state === 'begun' && this.#shown) this.#shown.title = this.#step
    if (state === 'note' && this.#shown) this.#shown.output = note
    if (state === 'done' || state === 'failed') this.#end.resolve(state)
  }

  over(): void {
    this.#end.resolve('over')
  }
}

export function since(begunAt: number | undefined): string {
  return `${((performance.now() - (begunAt ?? performance.now())) / 1000).toFixed(1)} s`
}
