import { PARTITIONS } from '@tideshop/contracts/topics'
import type { DatabaseKind } from '@tideshop/run/backbone'
import { CannotRun, readArguments, wholeNumber } from '../src/arguments.ts'
import { RATE_MAX } from './knee.ts'
import type { Setting } from './scene.ts'

/** What is offered: rates up to the knee, one rate, or all at once. */
export type LoadPlan =
  /** `rates` null: looked for by doubling and halving. */
  | { kind: 'knee'; rates: readonly number[] | null }
  | { kind: 'rate'; perSecond: number }
  | { kind: 'backlog'; operations: number }

export type SagaPlan = Setting & {
  load: LoadPlan
  /** Of each step. */
  seconds: number
  /** Milliseconds that one approval takes. */
  workMs: number
  database: DatabaseKind
  /** Of each service that hears. */
  replicas: number
  /** Operations before the clock starts: compilers and caches are warm then. */
  warmUp: number
  /** Whether the bare loop is measured, too. */
  loop: boolean
  repeat: number
}

export type SagaOptions = {
  plan: SagaPlan
  json: string | undefined
  report: string | undefined
  /** A folder for the services' CPU profiles. */
  profile: string | undefined
}

const SECONDS_MAX = 3600
const OPERATIONS_MAX = 1_000_000
const WORK_MS_MAX = 60_000
const REPEAT_MAX = 20
const PARTITIONS_MAX = 100
const REPLICAS_MAX = 8
/** As large as an event may be that is no document yet. */
const PADDING_BYTES_MAX = 65_536

export const help = `pnpm bench saga [options]: how many events a second go through the whole saga, on a shop of its own

What comes in
  --from topic|door  straight to user-create (default), or by HTTP at the front door
  --rates A,B,…      fixed arrival rates in operations per second, one after the other, up to the knee
                     (default: doubled from 500 until the shop falls behind, then narrowed)
  --rate N           one fixed rate, at most ${RATE_MAX}
  --backlog N        N operations at once, then worked off: the pure throughput (from topic only)
  --seconds N        of each rate (default 8, at most ${SECONDS_MAX})
  --warm-up N        operations before the clock starts (default 5000)

Where
  --work-ms N        milliseconds of work per approval (default 0)
  --database disk|memory   of the embedded database (default disk)
  --partitions N     of each topic (default ${PARTITIONS}, at most ${PARTITIONS_MAX})
  --replicas N       of each service that hears (default 1, at most ${REPLICAS_MAX})
  --padding-bytes N  more in the first of an operation's four records (default 0, at most ${PADDING_BYTES_MAX})
  MONGODB_URI and KAFKA_BROKERS are used when they are set.

What comes out
  --repeat N         times, each on a fresh shop: median, least and most of each figure (default 1, at most ${REPEAT_MAX})
  --no-loop          without the bare produce-consume loop, the yardstick
  --json FILE        everything that was measured
  --report FILE      a page with plots
  --profile FOLDER   CPU profiles of the services, from start to end (they cost some of what they measure)

One event is one record in one of the four topics: four per operation. A run ends with a look into the stores: if any
operation is lost, doubled, stuck or wrong there is no figure, and the exit code is 1.`

export function readSagaOptions(args: string[]): SagaOptions {
  const { values } = readArguments({
    args,
    options: {
      from: { type: 'string', default: 'topic' },
      rates: { type: 'string' },
      rate: { type: 'string' },
      backlog: { type: 'string' },
      seconds: { type: 'string', default: '8' },
      'warm-up': { type: 'string', default: '5000' },
      'work-ms': { type: 'string', default: '0' },
      database: { type: 'string', default: 'disk' },
      partitions: { type: 'string', default: String(PARTITIONS) },
      replicas: { type: 'string', default: '1' },
      'padding-bytes': { type: 'string', default: '0' },
      repeat: { type: 'string', default: '1' },
      'no-loop': { type: 'boolean', default: false },
      json: { type: 'string' },
      report: { type: 'string' },
      profile: { type: 'string' },
    },
  })
  const from = oneOf('from', values.from, ['topic', 'door'] as const)
  const load = readLoad(values)
  if (from === 'door' && load.kind === 'backlog') {
    throw new CannotRun('--backlog goes straight to the topic: nobody can stand at a door all at once')
  }
  const plan = {
    from,
    load,
    seconds: wholeNumber('seconds', values.seconds, SECONDS_MAX),
    workMs: noneOr('work-ms', values['work-ms'], WORK_MS_MAX),
    database: oneOf('database', values.database, ['disk', 'memory'] as const),
    partitions: wholeNumber('partitions', values.partitions, PARTITIONS_MAX),
    replicas: wholeNumber('replicas', values.replicas, REPLICAS_MAX),
    paddingBytes: noneOr('padding-bytes', values['padding-bytes'], PADDING_BYTES_MAX),
    warmUp: wholeNumber('warm-up', values['warm-up'], OPERATIONS_MAX),
    loop: !values['no-loop'],
    repeat: wholeNumber('repeat', values.repeat, REPEAT_MAX),
  }
  if (load.kind === 'rate' && load.perSecond * plan.seconds > OPERATIONS_MAX) {
    throw new CannotRun(`that would be more than ${OPERATIONS_MAX} operations`)
  }
  if (from === 'door' && plan.paddingBytes > 0) {
    throw new CannotRun(
      '--padding-bytes is for what goes straight to the topic: the door takes no such request',
    )
  }
  return { plan, json: values.json, report: values.report, profile: values.profile }
}

type LoadOptions = { rate?: string | undefined; rates?: string | undefined; backlog?: string | undefined }

function readLoad({ rate, rates, backlog }: LoadOptions): LoadPlan {
  if ([rate, rates, backlog].filter((one) => one !== undefined).length > 1) {
    throw new CannotRun('give one of --rates, --rate and --backlog')
  }
  if (rate !== undefined) return { kind: 'rate', perSecond: wholeNumber('rate', rate, RATE_MAX) }
  if (backlog !== undefined) {
    return { kind: 'backlog', operations: wholeNumber('backlog', backlog, OPERATIONS_MAX) }
  }
  const listed = rates?.split(',').map((one) => wholeNumber('rates', one, RATE_MAX)) ?? null
  return { kind: 'knee', rates: listed }
}

function noneOr(option: string, typed: string, max: number): number {
  return typed === '0' ? 0 : wholeNumber(option, typed, max)
}

function oneOf<T extends string>(option: string, typed: string, choices: readonly T[]): T {
  const choice = choices.find((one) => one === typed)
  if (choice === undefined) throw new CannotRun(`--${option} is ${choices.join(' or ')}, not "${typed}"`)
  return choice
}
