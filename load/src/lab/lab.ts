import { writeFile } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'
import { CannotRun, readArguments, wholeNumber } from '../arguments.ts'
import type { ClusterWatch } from '../cluster/watch.ts'
import type { Scenario } from '../command.ts'
import { findGround, type Ground, groundHelp, groundOptions } from '../ground.ts'
import { jsonOf } from '../report.ts'
import { runLoad } from '../run.ts'
import type { LoadScenario, Typed } from '../scenario.ts'
import { grpc } from '../scenarios/grpc.ts'
import { saga } from '../scenarios/saga.ts'
import { isAtRest } from '../timeline.ts'
import { labPage, type Turn, tellLab } from './report.ts'
import { exchange, hasProcessorMetrics, type Kept, readKept, readSources } from './scaler.ts'
import { type Variant, variantsOf } from './variants.ts'

/**
 * The same load, while one Deployment has one scaler after the other: each is put in the place of the ScaledObject that is
 * there, and that one is put back afterwards, whatever happens. After a kill -9, `kubectl apply -k k8s/overlays/…` does so.
 */

const REST_SECONDS = '60'
const REST_SECONDS_MAX = 600
/** Milliseconds between two turns, under the scaler that was there before. */
const REST_MS_MAX = 120_000
const LOOK_AGAIN_MS = 500
const NAMES = ['ours', 'lag', 'rate', 'concurrency', 'cpu', 'published']

/** `hasLag`: whether it leaves messages in topics. */
type Load = { scenario: LoadScenario; hasLag: boolean; rate: string }

/** What reaches a service: quotes are asked of pricing by gRPC, and nobody else's work has one. */
const QUOTES: Load = { scenario: grpc, hasLag: false, rate: '250' }
const OPERATIONS: Load = { scenario: saga, hasLag: true, rate: '20' }

function loadOf(service: string): Load {
  return service === 'pricing' ? QUOTES : OPERATIONS
}

/** What a turn does, by what the load's own scenario does unless told otherwise. Throws `CannotRun` when what was typed makes no sense. */
export function planOf(
  service: string,
  seconds: string,
  perSecond?: string,
): ReturnType<LoadScenario['plan']> {
  const { scenario, rate } = loadOf(service)
  const args = ['--rate', perSecond ?? rate, '--seconds', seconds]
  return scenario.plan(readArguments({ args, options: scenario.options }) as Typed)
}

const help = `pnpm load lab [options]: on a cluster only

  --service       whose scaler takes turns (default approvals)
  --only          of ${NAMES.join(', ')} only these, with commas between
  --rate          operations a second (default ${OPERATIONS.rate}); for pricing quotes, which reach it by gRPC (default ${QUOTES.rate})
  --seconds       of each turn (default 30)
  --rest-seconds  that the cluster may take to rest, before each turn and after it (default ${REST_SECONDS}, at most ${REST_SECONDS_MAX})
${groundHelp}
  --json          a file for all that was measured
  --report        a page with the turns side by side

ours: the scaler that is there. lag: the same with the lag of its topic as its one trigger. rate, concurrency: by the calls of the door, a
second or in flight. cpu: by processor time, where the cluster measures it. published: keda/as-published/<service>.yaml.
Between two turns the scaler that was there is put back, until the service rests.
Ends with 1 when a turn lost or doubled an operation, or a request failed.`

type Values = {
  service: string
  only?: string
  rate?: string
  seconds: string
  'rest-seconds': string
  json?: string
  report?: string
}

export const lab: Scenario = {
  summary: 'the same load under different scalers for one service, side by side',
  help,
  async run(args, stop) {
    const { values } = readArguments({
      args,
      options: {
        service: { type: 'string', default: 'approvals' },
        only: { type: 'string' },
        rate: { type: 'string' },
        seconds: { type: 'string', default: '30' },
        'rest-seconds': { type: 'string', default: REST_SECONDS },
        json: { type: 'string' },
        report: { type: 'string' },
        ...groundOptions,
      },
    })
    const sources = readSources(values.service, loadOf(values.service).hasLag)
    const ground = await findGround({ ...values, cluster: values.cluster ?? values.kubeconfig === undefined })
    const { cluster } = ground
    if (cluster === null) throw new CannotRun('the lab needs a cluster')
    try {
      const there = await readKept(cluster, values.service)
      // Of the overlay, whose pace is meant for the cluster that is loaded.
      const all = variantsOf({ ...sources, ours: there.spec }, await hasProcessorMetrics(cluster.api))
      const variants = chosen(all, values.only)
      const turns = await takeTurns({ there, variants }, values as Values, { ...ground, cluster }, stop)
      console.log(`\n${tellLab(values.service, turns)}`)
      await write(values as Values, turns)
      return turns.every(({ run }) => run.result.kept)
    } finally {
      await cluster.api.close()
    }
  },
}

function chosen(variants: Variant[], only: string | undefined): Variant[] {
  if (only === undefined) return variants
  const names = only.split(',')
  const unknown = names.find((name) => !variants.some((variant) => variant.name === name))
  if (unknown === undefined) return variants.filter(({ name }) => names.includes(name))
  throw new CannotRun(`--only takes of ${variants.map(({ name }) => name).join(', ')}, not "${unknown}"`)
}

type Lab = Ground & { cluster: ClusterWatch }

async function takeTurns(
  { there, variants }: { there: Kept; variants: readonly Variant[] },
  values: Values,
  ground: Lab,
  stop: AbortSignal,
): Promise<Turn[]> {
  const { service, seconds } = values
  const restMs = wholeNumber('rest-seconds', values['rest-seconds'], REST_SECONDS_MAX) * 1000
  const plan = planOf(service, seconds, values.rate)
  const turns: Turn[] = []
  for (const { name, about, spec } of variants) {
    if (stop.aborted) break
    console.error(`${name}: ${about}`)
    try {
      await exchange(ground.cluster, service, { ...there, spec })
      const run = await runLoad({ work: plan(ground), ground, expectations: [], restMs }, stop)
      turns.push({ variant: { name, about }, run })
    } finally {
      await exchange(ground.cluster, service, there)
    }
    // One that shrinks slowly would hand its replicas on to the next.
    await untilRest(ground.cluster, service, stop)
  }
  return turns
}

/** Or until it has taken too long: then the next turn says that it did not begin at rest. */
async function untilRest(cluster: ClusterWatch, service: string, stop: AbortSignal): Promise<void> {
  const deadline = performance.now() + REST_MS_MAX
  while (!stop.aborted && performance.now() < deadline) {
    const services = await cluster.look()
    if (isAtRest(services.filter((one) => one.service === service))) return
    await delay(LOOK_AGAIN_MS, undefined, { signal: stop }).catch(() => undefined)
  }
}

async function write({ service, json, report }: Values, turns: readonly Turn[]): Promise<void> {
  if (json !== undefined) {
    const all = { service, turns: turns.map(({ variant, run }) => ({ ...variant, ...jsonOf(run) })) }
    await writeFile(json, `${JSON.stringify(all, null, 1)}\n`)
  }
  if (report !== undefined) await writeFile(report, labPage(service, turns))
}
