import { mkdtempSync, rmSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { root } from '@tideshop/run/arguments'
import { startReplica, stopReplica } from '@tideshop/run/replica'
import { appIds, type Shop } from '@tideshop/run/shop'
import { CannotRun, readArguments, wholeNumber } from '../src/arguments.ts'
import { makeEndedOperation } from './ended-operation.ts'
import { Bystander } from './first-served.ts'
import { describeMachine } from './machine.ts'
import { withOwnShop } from './own-shop.ts'
import { type Started, startMeasured } from './start-measured.ts'
import { type Figures, spreadsOf } from './statistics.ts'
import { tellSpreads } from './tell.ts'

/**
 * How long a service takes from nothing to its first answer: what a wake from zero costs beside the scheduler. The
 * rest of the shop is open; only the one service is stopped and started again, alone (with a stub for its sidecar)
 * and with its sidecar. Node's compile cache is off, empty, or filled by the start before.
 */
export const summary = 'process start to the first answer, per service, alone and with its sidecar'

const ROUNDS_MAX = 50

export const help = `pnpm bench start [options]: starts each service over and over, in a shop of its own

  --service A,B  only these (default all)
  --rounds N     each figure is the median over them (default 3, at most ${ROUNDS_MAX})
  --json FILE    everything that was measured

Per service: Alone or WithSidecar; without Node's compile cache, or with an empty one (ColdCache) or one that a start has
filled (WarmCache); until the first 200 of /healthz, and until the first request or event is served. Milliseconds.`

const caches = ['', 'ColdCache', 'WarmCache'] as const

export async function run(args: string[], stop: AbortSignal): Promise<boolean> {
  const { services, rounds, json } = readOptions(args)
  const machine = await describeMachine('disk')
  const cacheDir = mkdtempSync(path.join(tmpdir(), 'tideshop-compile-cache-'))
  prepareCache('', cacheDir)
  console.log('opens a shop')
  try {
    const env = { APPROVAL_WORK_MS: '0' }
    const runs = await withOwnShop({ database: 'disk', env }, stop, (shop) =>
      measureAll(shop, { services, rounds, cacheDir, stop }),
    )
    const spreads = spreadsOf(runs)
    console.log(`\n${tellSpreads(spreads, machine)}`)
    const plan = { services, rounds }
    const result = { bench: 'start', measuredAt: new Date().toISOString(), plan, machine, runs }
    if (json !== undefined) await writeFile(json, `${JSON.stringify({ ...spreads, ...result }, null, 1)}\n`)
    return true
  } finally {
    rmSync(cacheDir, { recursive: true, force: true })
  }
}

function readOptions(args: string[]): { services: string[]; rounds: number; json: string | undefined } {
  const { values } = readArguments({
    args,
    options: {
      service: { type: 'string' },
      rounds: { type: 'string', default: '3' },
      json: { type: 'string' },
    },
  })
  const known = appIds(root)
  const services = values.service?.split(',') ?? known
  const unknown = services.find((service) => !known.includes(service))
  if (unknown !== undefined) throw new CannotRun(`there is no service ${unknown}, only ${known.join(', ')}`)
  return { services, rounds: wholeNumber('rounds', values.rounds, ROUNDS_MAX), json: values.json }
}

type Course = { services: readonly string[]; rounds: number; cacheDir: string; stop: AbortSignal }

async function measureAll(shop: Shop, course: Course): Promise<Figures[]> {
  const bystander = new Bystander(shop, await makeEndedOperation(shop, course.stop))
  const found: Figures[] = Array.from({ length: course.rounds }, () => ({}))
  try {
    for (const appId of course.services) await measureService(shop, appId, bystander, { course, found })
    return found
  } finally {
    await bystander.close()
  }
}

async function measureService(
  shop: Shop,
  appId: string,
  bystander: Bystander,
  { course, found }: { course: Course; found: Figures[] },
): Promise<void> {
  const [replica] = shop.replicas(appId)
  if (replica === undefined) throw new CannotRun(`${appId} does not run`)
  const first = bystander.of(appId, replica)
  await stopReplica(replica)
  try {
    for (const [nth, figures] of found.entries()) {
      for (const beside of ['Alone', 'WithSidecar'] as const) {
        const told: string[] = []
        for (const cache of caches) {
          course.stop.throwIfAborted()
          prepareCache(cache, course.cacheDir)
          const started = await startMeasured(replica, beside, first, course.stop)
          Object.assign(figures, figuresOf(`${appId}${beside}${cache}`, started))
          told.push(
            `${cache || 'no cache'} ${Math.round(started.healthzMs)} / ${Math.round(started.servedMs)} ms`,
          )
        }
        console.log(`${nth + 1}/${course.rounds} ${appId} ${beside}: ${told.join(' · ')}`)
      }
    }
  } finally {
    prepareCache('', course.cacheDir)
    if (!course.stop.aborted) await startReplica(replica)
  }
}

function figuresOf(name: string, { healthzMs, servedMs }: Started): Figures {
  return { [`${name}HealthzMs`]: Math.round(healthzMs), [`${name}ServedMs`]: Math.round(servedMs) }
}

/** A process inherits the environment of this one at its start. It fills the cache when it leaves. */
function prepareCache(cache: (typeof caches)[number], dir: string): void {
  process.env['NODE_COMPILE_CACHE'] = cache === '' ? '' : dir
  if (cache === 'ColdCache') rmSync(dir, { recursive: true, force: true })
}
