import newman from 'newman'

/**
 * One runner of a collection, as a process of its own that `postman.ts` forks. Newman runs scripts on the
 * thread that also takes the time of its requests: four runners in one process measured 10 ms where one
 * measured 1.5 ms, and eight measured 30 ms. Apart they measure the shop and not one another.
 */
export type Job = {
  collection: string
  baseUrl: string
  iterations: number
  /** Milliseconds for which one iteration follows the other, however many; null: as many as said. */
  forMs: number | null
}

export type Finding =
  | { kind: 'request'; ms: number }
  | { kind: 'failure'; request: string; assertion: string; message: string }
  | { kind: 'done' }

/** What newman emits, as far as it is read here; its types leave the events out. */
type Happening = {
  item?: { name: string }
  assertion?: string
  event?: { listen: string }
  response?: { responseTime: number }
}

const REQUEST_MS_MAX = 15_000
const SCRIPT_MS_MAX = 15_000

process.once('message', (job) => run(job as Job))
// A terminal sends Ctrl-C to all its processes; the one that prints the report decides when this one ends.
process.on('SIGINT', () => undefined)
process.once('disconnect', () => process.exit())

function run(job: Job): void {
  const { collection, baseUrl, iterations, forMs } = job
  const begunAt = performance.now()
  const emitter = newman.run(
    {
      collection,
      // Newman keeps every response until its run ends, and ends it at an iteration's end only.
      iterationCount: forMs === null ? iterations : 1,
      envVar: [{ key: 'baseUrl', value: baseUrl }],
      reporters: [],
      timeoutRequest: REQUEST_MS_MAX,
      timeoutScript: SCRIPT_MS_MAX,
      // A redirect could lead off this machine.
      ignoreRedirects: true,
    },
    (error) => {
      if (error) throw error
      const leftMs = (forMs ?? 0) - (performance.now() - begunAt)
      if (leftMs > 0) return run({ ...job, forMs: leftMs })
      tell({ kind: 'done' })
      process.disconnect()
    },
  )
  emitter.on('request', (error: Error | null, { item, response }: Happening) => {
    if (error) tellFailure(item, 'is answered', error)
    else tell({ kind: 'request', ms: response?.responseTime ?? 0 })
  })
  emitter.on('assertion', (error: Error | null, { item, assertion }: Happening) => {
    if (error) tellFailure(item, assertion ?? 'an assertion', error)
  })
  emitter.on('script', (error: Error | null, { item, event }: Happening) => {
    if (error) tellFailure(item, `runs its ${event?.listen} script`, error)
  })
}

function tellFailure(item: { name: string } | undefined, assertion: string, { message }: Error): void {
  tell({ kind: 'failure', request: item?.name ?? 'a request', assertion, message })
}

function tell(finding: Finding): void {
  process.send?.(finding)
}
