import { fork } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { CannotRun, readArguments, wholeNumber } from './arguments.ts'
import { latencies, perSecond, tellLatencies } from './latencies.ts'
import type { Finding, Job } from './newman-runner.ts'
import { showProgress } from './progress.ts'
import { DEFAULT_BASE_URL, expectShop, loopbackOrigin } from './target.ts'

const COLLECTIONS = `${import.meta.dirname}/../postman`
const SUFFIX = '.postman_collection.json'
/** Each runner is a process of about 300 MB. */
const RUNNERS_MAX = 16
/** Newman keeps every response until it ends. */
const ITERATIONS_MAX = 1_000
const FAILURES_TOLD_MAX = 20

export const summary = 'runs a Postman collection by several runners at once and tells which promises broke'

export const help = `pnpm load postman <collection> [options]

Collections: ${collections().join(', ')} (files in load/postman, which Postman opens too)

  --runners     runners at once, each a process (default 4, at most ${RUNNERS_MAX})
  --iterations  times that each runner runs the collection (default 10, at most ${ITERATIONS_MAX})
  --base-url    a shop on this machine (default ${DEFAULT_BASE_URL})

Ends with 1 when an assertion failed.`

/** What all runners found so far. */
type Tally = { requestMs: number[]; failures: Extract<Finding, { kind: 'failure' }>[] }

export async function run(args: string[], stop: AbortSignal): Promise<boolean> {
  const { job, runners } = readJob(args)
  await expectShop(job.baseUrl)

  const tally: Tally = { requestMs: [], failures: [] }
  const startedAt = performance.now()
  const line = () => `${tally.requestMs.length} requests, ${tally.failures.length} failures`
  {
    using _progress = showProgress(line)
    await Promise.all(Array.from({ length: runners }, () => runOne(job, tally, stop)))
  }
  const tookMs = performance.now() - startedAt

  console.log(
    `${job.iterations} iterations by each of ${runners} runners${stop.aborted ? ', interrupted' : ''}`,
  )
  console.log(tellTally(tally, tookMs))
  return tally.failures.length === 0
}

function readJob(args: string[]): { job: Job; runners: number } {
  const { values, positionals } = readArguments({
    args,
    allowPositionals: true,
    options: {
      runners: { type: 'string', default: '4' },
      iterations: { type: 'string', default: '10' },
      'base-url': { type: 'string', default: DEFAULT_BASE_URL },
    },
  })
  const [name = '', ...more] = positionals
  if (more.length > 0 || !collections().includes(name)) {
    throw new CannotRun(`give one collection of: ${collections().join(', ')}`)
  }
  const collection = `${COLLECTIONS}/${name}${SUFFIX}`
  const iterations = wholeNumber('iterations', values.iterations, ITERATIONS_MAX)
  const job = { collection, iterations, baseUrl: loopbackOrigin(values['base-url']) }
  return { job, runners: wholeNumber('runners', values.runners, RUNNERS_MAX) }
}

function collections(): string[] {
  if (!existsSync(COLLECTIONS)) return []
  const files = readdirSync(COLLECTIONS).filter((file) => file.endsWith(SUFFIX))
  return files.map((file) => file.slice(0, -SUFFIX.length))
}

/** Settles when the runner ended or was stopped. What it found before is in the tally either way. */
async function runOne(job: Job, tally: Tally, stop: AbortSignal): Promise<void> {
  const runner = fork(`${import.meta.dirname}/newman-runner.ts`, {
    // Newman's dependencies use what Node 24 calls old; that is not for our reader.
    execArgv: ['--no-deprecation'],
    // A proxy of the environment must not carry the load off this machine.
    env: { ...process.env, NO_PROXY: '*', no_proxy: '*' },
  })
  const kill = () => runner.kill('SIGKILL')
  stop.addEventListener('abort', kill)
  let done = false
  runner.on('message', (finding: Finding) => {
    if (finding.kind === 'request') tally.requestMs.push(finding.ms)
    else if (finding.kind === 'failure') tally.failures.push(finding)
    else done = true
  })
  runner.send(job)
  await new Promise((resolve) => {
    runner.once('close', resolve)
  })
  stop.removeEventListener('abort', kill)
  if (!done && !stop.aborted) throw new Error('a runner died before it had run the collection; see above')
}

function tellTally({ requestMs, failures }: Tally, tookMs: number): string {
  const alike = new Map<string, number>()
  for (const { request, assertion, message } of failures) {
    const failure = `[${request}] ${assertion}: ${message}`
    alike.set(failure, (alike.get(failure) ?? 0) + 1)
  }
  const told = [...alike].slice(0, FAILURES_TOLD_MAX).map(([failure, times]) => `  ${times} × ${failure}`)
  const untold = alike.size - told.length
  return [
    `requests  ${requestMs.length} in ${(tookMs / 1000).toFixed(1)} s, ${perSecond(requestMs.length, tookMs)}/s`,
    `latency   ${tellLatencies(latencies(requestMs))}`,
    `failures  ${failures.length}`,
    ...told,
    ...(untold > 0 ? [`  and ${untold} other kinds`] : []),
  ].join('\n')
}
