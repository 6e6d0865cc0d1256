import { fork } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { CannotRun, wholeNumber } from '../arguments.ts'
import { perSecond, tellLatencies } from '../latencies.ts'
import { Meter } from '../meter.ts'
import type { Finding, Job } from '../newman-runner.ts'
import type { LoadScenario, Work } from '../scenario.ts'

const COLLECTIONS = `${import.meta.dirname}/../../postman`
const RUNNER = `${import.meta.dirname}/../newman-runner.ts`
const SUFFIX = '.postman_collection.json'
/** Each runner is a process of about 300 MB. */
const RUNNERS_MAX = 16
/** Newman keeps every response until it ends. */
const ITERATIONS_MAX = 1_000
const SECONDS_MAX = 1200
/** On a cluster a runner goes on for so long: a scaler needs time to be seen. */
const CLUSTER_SECONDS = '60'
const FAILURES_TOLD_MAX = 20
const MS_PER_S = 1000

/** System A's load: the collection runner drives the gateway. */
export const postman: LoadScenario = {
  summary: 'runs a Postman collection by several runners at once and tells which promises broke',
  help: `pnpm load postman <collection> [options]

Collections: ${collections().join(', ')} (files in load/postman, which Postman opens too)

  --runners       runners at once, each a process (default 4, at most ${RUNNERS_MAX})
  --iterations    times that each runner runs the collection (default 10, at most ${ITERATIONS_MAX})
  --seconds       instead: runs it over and over for so long (on a cluster by default ${CLUSTER_SECONDS})`,
  options: {
    runners: { type: 'string', default: '4' },
    iterations: { type: 'string' },
    seconds: { type: 'string' },
  },
  hasNames: true,
  plan({ values, positionals }) {
    const [name = '', ...more] = positionals
    if (more.length > 0 || !collections().includes(name)) {
      throw new CannotRun(`give one collection of: ${collections().join(', ')}`)
    }
    const { iterations, seconds } = values
    if (iterations !== undefined && seconds !== undefined) {
      throw new CannotRun('give one of --iterations and --seconds')
    }
    const collection = `${COLLECTIONS}/${name}${SUFFIX}`
    const runners = wholeNumber('runners', values['runners'] ?? '', RUNNERS_MAX)
    const times = wholeNumber('iterations', iterations ?? '10', ITERATIONS_MAX)
    const forMs = (typed: string) => wholeNumber('seconds', typed, SECONDS_MAX) * MS_PER_S
    const typedMs = seconds === undefined ? null : forMs(seconds)
    return ({ baseUrl, cluster }) => {
      const byDefault = cluster !== null && iterations === undefined ? forMs(CLUSTER_SECONDS) : null
      return work({ collection, baseUrl, iterations: times, forMs: typedMs ?? byDefault }, runners)
    }
  },
}

function collections(): string[] {
  if (!existsSync(COLLECTIONS)) return []
  const files = readdirSync(COLLECTIONS).filter((file) => file.endsWith(SUFFIX))
  return files.map((file) => file.slice(0, -SUFFIX.length))
}

/** What all runners found so far. `failures`: how often each kind, in words. */
type Tally = { meter: Meter; failures: Map<string, number>; tookMs: number }

function work(job: Job, runners: number): Work {
  const tally: Tally = { meter: new Meter(), failures: new Map(), tookMs: 0 }
  const howLong =
    job.forMs === null ? `${job.iterations} iterations` : `${job.forMs / MS_PER_S} s of iterations`
  return {
    title: `${howLong} by each of ${runners} runners`,
    expects: [
      'no request failed',
      'first replica within 15 s',
      'apigateway >= 2',
      'apigateway back to 1 within 120 s',
      'operations back to 0 within 120 s',
    ],
    async run(meter, stop) {
      tally.meter = meter
      const startedAt = performance.now()
      await Promise.all(Array.from({ length: runners }, () => runOne(job, tally, stop)))
      tally.tookMs = performance.now() - startedAt
    },
    result() {
      const { good } = tally.meter.totals()
      const failures = [...tally.failures].map(([failure, times]) => ({ failure, times }))
      const json = { runners, failures: failures.slice(0, FAILURES_TOLD_MAX) }
      const kept = failures.length === 0
      return { told: tellTally(tally), json, kept, done: { unit: 'requests', count: good } }
    },
  }
}

/** Settles when the runner ended or was stopped. What it found before is in the tally either way. */
async function runOne(job: Job, { meter, failures }: Tally, stop: AbortSignal): Promise<void> {
  const runner = fork(RUNNER, {
    // Newman's dependencies use what Node 24 calls old; that is not for our reader.
    execArgv: ['--no-deprecation'],
    // A proxy of the environment must not carry the load off this machine.
    env: { ...process.env, NO_PROXY: '*', no_proxy: '*' },
  })
  const kill = () => runner.kill('SIGKILL')
  stop.addEventListener('abort', kill)
  let done = false
  runner.on('message', (finding: Finding) => {
    if (finding.kind === 'request') meter.good(finding.ms)
    else if (finding.kind === 'done') done = true
    else {
      const failure = `[${finding.request}] ${finding.assertion}: ${finding.message}`
      failures.set(failure, (failures.get(failure) ?? 0) + 1)
      meter.failed()
    }
  })
  runner.send(job)
  await new Promise((resolve) => {
    runner.once('close', resolve)
  })
  stop.removeEventListener('abort', kill)
  if (!done && !stop.aborted) throw new Error('a runner died before it had run the collection; see above')
}

function tellTally({ meter, failures, tookMs }: Tally): string {
  const { good, failed, ms } = meter.totals()
  const told = [...failures].slice(0, FAILURES_TOLD_MAX).map(([failure, times]) => `  ${times} × ${failure}`)
  const untold = failures.size - told.length
  return [
    `requests  ${good} in ${(tookMs / MS_PER_S).toFixed(1)} s, ${perSecond(good, tookMs)}/s`,
    `latency   ${tellLatencies(ms)}`,
    `failures  ${failed}`,
    ...told,
    ...(untold > 0 ? [`  and ${untold} other kinds`] : []),
  ].join('\n')
}
