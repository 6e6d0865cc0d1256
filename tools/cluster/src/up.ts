import { once } from 'node:events'
import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { NotStarted } from '@tideshop/run/process'
import { findRabbitmq } from '@tideshop/run/rabbitmq'
import type { Identity } from '@tideshop/run/record'
import type { Report } from '@tideshop/run/steps'
import { Steps } from '@tideshop/run/steps'
import type { Program } from '@tideshop/runtime/part'
import { type PartName, provide } from '@tideshop/runtime/provide'
import { type Binaries, buildBinaries } from './binaries.ts'
import { openDoors } from './doors.ts'
import { close } from './down.ts'
import { hasPods } from './groups.ts'
import type { Making } from './images.ts'
import { renderManifests } from './manifests.ts'
import { DOOR, type Place, placeOf } from './place.ts'
import { insideSteps, type Message, type Plan } from './plan.ts'
import { platformImages } from './platform-images.ts'
import { identityOf, readRecord, stateOf, writeRecord } from './record.ts'
import { cniFolder, lacksOf } from './requirements.ts'
import { SHOP_IMAGES } from './shop.ts'
import { shopImages } from './shop-images.ts'
import { openSpace, readSettings, spawnInside } from './space.ts'
import { writeIn } from './write-in.ts'

const INSIDE = fileURLToPath(new URL('./inside.ts', import.meta.url))

/** As `report` names them. */
export const upSteps = ['binaries', 'image layers', 'namespaces', ...insideSteps]

export type Up = { env: NodeJS.ProcessEnv; report: Report; signal: AbortSignal }

/** There is a cluster already, or one is being started. Nothing was changed. */
export class AlreadyUp extends Error {
  override name = 'AlreadyUp'
}

/** Something that this machine has not. Nothing was changed. */
export class Lacking extends Error {
  override name = 'Lacking'

  constructor(lacks: string[]) {
    super(['a cluster cannot run here:', ...lacks.map((lack) => `  - ${lack}`)].join('\n'))
  }
}

/**
 * Starts a cluster with the shop in it. When that fails or is given up, nothing of it is left before this rejects. Returns a
 * sentence for each service that stays away: what is missing, and how to get it.
 */
export async function up({ env, report, signal }: Up): Promise<string[]> {
  const place = placeOf(env)
  const lacks = lacksOf(env)
  if (lacks.length > 0) throw new Lacking(lacks)
  await claim(place)
  const record = { runner: identityOf(process.pid), holder: null, settings: readSettings() }
  writeRecord(place, record)
  const steps = new Steps(report, signal)
  try {
    const plan = await prepare(steps, { env, signal })
    const { holder } = await steps.take('namespaces', async () => {
      const held = { ...record, holder: await openSpace(plan.binaries.pause) }
      writeRecord(place, held)
      mkdirSync(place.logs, { recursive: true })
      await openDoors(place, held.holder.pid)
      return held
    })
    await startInside(place, plan, holder, { report, signal })
    // From now on the cluster is nobody's child.
    writeRecord(place, { ...record, holder, runner: null })
    return plan.closed
  } catch (error) {
    await close(place)
    throw error
  }
}

async function claim(place: Place): Promise<void> {
  const record = readRecord(place)
  const state = stateOf(record)
  if (state === 'starting')
    throw new AlreadyUp(`a cluster is being started by process ${record?.runner?.pid}`)
  if (state === 'running')
    throw new AlreadyUp(`the cluster runs already: ${DOOR} (pnpm cluster down ends it)`)
  if (state === 'dead') await close(place)
  // Another kubelet's: the two would delete each other's.
  if (hasPods()) {
    throw new Error('another kubelet runs pods on this machine, and the two would delete each other’s')
  }
  rmSync(place.folder, { recursive: true, force: true })
}

/** What is to run: found or built, nothing started. */
async function prepare(steps: Steps, { env, signal }: Omit<Up, 'report'>): Promise<Plan> {
  const making = (step: string): Making => ({ env, signal, report: (line) => steps.note(step, line) })
  const { binaries, daprd, kafka, mongodb, queue } = await steps.take('binaries', async () => {
    const options = making('binaries')
    const binaries: Binaries = await buildBinaries(options)
    const daprd = await program('daprd', options)
    const kafka = await program('kafka', options)
    const mongodb = await program('mongodb', options)
    return { binaries, daprd, kafka, mongodb, queue: await findRabbitmq(true, withoutAddresses(env)) }
  })
  return steps.take('image layers', async () => {
    const options = making('image layers')
    return {
      binaries,
      kafka,
      mongodb,
      rabbitmq: queue.provided?.kind === 'program' ? queue.provided : null,
      closed: queue.closed,
      cni: cniFolder() ?? '',
      platformImages: await platformImages(binaries, daprd.command, options),
      shopImages: await shopImages(SHOP_IMAGES, options),
      manifests: await renderManifests(binaries, options),
    }
  })
}

async function program(part: PartName, { env, report, signal }: Making): Promise<Program> {
  const provided = await provide(part, { env: withoutAddresses(env), report, signal })
  if (provided.kind !== 'program') throw new Error(`${part} must be a program here`)
  return provided
}

/** A part that runs elsewhere is of no use: pods cannot reach it. */
function withoutAddresses(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const { KAFKA_BROKERS: _kafka, MONGODB_URI: _mongodb, RABBITMQ_URL: _rabbitmq, ...ours } = env
  return ours
}

async function startInside(
  place: Place,
  plan: Plan,
  holder: Identity,
  { report, signal }: Omit<Up, 'env'>,
): Promise<void> {
  writeIn(place, 'plan.json', JSON.stringify(plan))
  const log = join(place.logs, 'start.log')
  const child = spawnInside(holder.pid, [process.execPath, INSIDE], { log, ipc: true })
  let failure: Error | null = null
  child.on('message', (message: Message) => {
    if (Array.isArray(message)) report(...message)
    else
      failure = message.process ? new NotStarted(message.process, message.failed) : new Error(message.failed)
  })
  // The namespaces are closed then, which ends it as well; but not before it was told.
  const giveUp = () => child.kill('SIGKILL')
  signal.addEventListener('abort', giveUp)
  try {
    const [code] = await once(child, 'exit')
    signal.throwIfAborted()
    if (failure !== null) throw failure
    if (code !== 0) throw new Error(`the start ended with exit code ${code}; ${log} says why`)
  } finally {
    signal.removeEventListener('abort', giveUp)
  }
}
