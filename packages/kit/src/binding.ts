import { setTimeout as sleep } from 'node:timers/promises'
import express, { type Express } from 'express'
import { type ZodType, z } from 'zod'
import { crashPoint } from './crash-point.ts'
import { parse, Refusal } from './refusal.ts'
import type { Sidecar } from './sidecar.ts'
import type { Log, Metrics } from './telemetry.ts'

/**
 * Work that waits in a queue, by Dapr's bindings in raw HTTP. Source: https://docs.dapr.io/reference/api/bindings_api/
 *
 * The input binding brings one job at a time and acknowledges it when it is answered with 200; anything else puts it back
 * at once. So the answer comes after the work, whoever dies on the way gets the job again, and what is done about a
 * job has to bear a repeat. A job that can never be done is written to `<queue>.dead` with its reason, and then is done with.
 */

/** Bytes of one job. More than RabbitMQ takes by itself (128 MiB): a job that is refused here would come for ever. */
const JOB_MAX = '130mb'
/** The sidecar brings a job back in the moment that it is told no: without a pause whatever is away would be asked in circles. */
const AGAIN_AFTER_MS = 1000
/** Bytes of a dead job that are kept. As base64 in JSON they fit the 4 MiB that the sidecar takes. */
const DEAD_BYTES_MAX = 2 * 1024 ** 2
/** A reason can quote a whole document. Characters. */
const REASON_MAX = 500
/** Milliseconds for the sidecar to hand something to what is behind an output binding. */
const CREATE_TIMEOUT_MS = 10_000
/** Milliseconds for the sidecar to say what it has loaded. */
const METADATA_TIMEOUT_MS = 2000
/** Characters of the sidecar's own words in an error. */
const SAID_MAX = 300

/** Output bindings by the name of their component. */
export type Bindings = {
  /**
   * Hands `data` to what is behind the binding; throws when it was not taken. A text arrives as a JSON text, in quotes,
   * anything else as JSON with its keys in the order of the alphabet.
   */
  create: (binding: string, data: unknown, metadata?: Record<string, string>) => Promise<void>
  /**
   * Whether there is one of this name: a shop can be opened without what is behind it. Throws when the sidecar does not say.
   * To be asked when the sidecar has brought something, since by then it has loaded what it will ever have.
   */
  has: (binding: string) => Promise<boolean>
}

export function daprBindings(sidecar: Sidecar): Bindings {
  let names: Promise<ReadonlySet<string>> | null = null
  return {
    async has(binding) {
      names ??= componentNames(sidecar).catch((error) => {
        names = null
        throw error
      })
      return (await names).has(binding)
    },

    async create(binding, data, metadata = {}) {
      const { status, body } = await sidecar.send({
        method: 'POST',
        path: `/v1.0/bindings/${binding}`,
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ operation: 'create', data, metadata }),
        timeoutMs: CREATE_TIMEOUT_MS,
      })
      if (status === 200 || status === 204) return
      throw new Error(`the binding ${binding} took nothing: ${status} ${body.toString().slice(0, SAID_MAX)}`)
    },
  }
}

/** Source: https://docs.dapr.io/reference/api/metadata_api/ */
async function componentNames(sidecar: Sidecar): Promise<ReadonlySet<string>> {
  const { status, body } = await sidecar.send({
    method: 'GET',
    path: '/v1.0/metadata',
    timeoutMs: METADATA_TIMEOUT_MS,
  })
  if (status !== 200) throw new Error(`the sidecar does not say what it has: ${status}`)
  const { components } = sidecarMetadata.parse(JSON.parse(body.toString()))
  return new Set(components.map(({ name }) => name))
}

const sidecarMetadata = z.object({ components: z.array(z.object({ name: z.string() })).default([]) })

/** The quarantine of a queue, which is also the name of its output binding. */
export function deadJobs(queue: string): string {
  return `${queue}.dead`
}

/** What stands in the quarantine. */
export const deadJob = z.object({
  queue: z.string(),
  /** App-id of the service that could not do it. */
  listener: z.string(),
  reason: z.string(),
  /** When it was put aside, UTC, ISO 8601. */
  time: z.iso.datetime(),
  /** Of the job as it came. */
  bytes: z.int(),
  /** Its bytes as base64; of a larger job the first 2 MiB. */
  payload: z.string(),
})
export type DeadJob = z.infer<typeof deadJob>

export type WorkParts = {
  appId: string
  bindings: Bindings
  log: Log
  metrics: Metrics
  now: () => Date
  /** Milliseconds before a job is put back. */
  againAfterMs?: number
}

export type Job<T> = {
  /** Of the queue and of the component of its input binding, whose `route` is `/jobs/<queue>`. */
  queue: string
  schema: ZodType<T>
  /** Must be idempotent. A `Refusal` means never, anything else that is thrown means not now. */
  handle: (asked: T) => Promise<void>
}

/** Adds the route by which the sidecar brings the jobs of a queue. */
export function workOn<T>(app: Express, parts: WorkParts, job: Job<T>): void {
  app.post(
    `/jobs/${job.queue}`,
    express.raw({ limit: JOB_MAX, type: () => true }),
    async (request, response) => {
      const stop = parts.metrics.batchSeconds.startTimer({ topic: job.queue })
      // No body at all leaves none.
      const bytes = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0)
      const outcome = await receive(parts, job, bytes)
      parts.metrics.messages.inc({ topic: job.queue, outcome })
      stop()
      if (outcome === 'again') await sleep(parts.againAfterMs ?? AGAIN_AFTER_MS)
      response.status(outcome === 'again' ? 503 : 200).json({})
    },
  )
}

async function receive<T>(parts: WorkParts, job: Job<T>, bytes: Buffer): Promise<'done' | 'again' | 'dead'> {
  const { log } = parts
  const { queue } = job
  crashPoint('job.received')
  try {
    await job.handle(read(job.schema, bytes))
    crashPoint('job.handled')
    return 'done'
  } catch (error) {
    if (error instanceof Refusal) return putAside(parts, queue, bytes, error.message)
    log.error({ err: error, queue }, 'a job failed and will come again')
    return 'again'
  }
}

function read<T>(schema: ZodType<T>, bytes: Buffer): T {
  let value: unknown
  try {
    value = JSON.parse(bytes.toString('utf8'))
  } catch {
    throw new Refusal('invalid', 'not JSON')
  }
  return parse(schema, value)
}

async function putAside(
  { appId, bindings, log, now }: WorkParts,
  queue: string,
  bytes: Buffer,
  why: string,
): Promise<'dead' | 'again'> {
  const reason = why.slice(0, REASON_MAX)
  const dead: DeadJob = {
    queue,
    listener: appId,
    reason,
    time: now().toISOString(),
    bytes: bytes.length,
    payload: bytes.subarray(0, DEAD_BYTES_MAX).toString('base64'),
  }
  try {
    await bindings.create(deadJobs(queue), dead)
    log.warn({ queue, reason }, 'dead job')
    return 'dead'
  } catch (error) {
    log.error({ err: error, queue }, 'a dead job could not be put aside and will come again')
    return 'again'
  }
}
