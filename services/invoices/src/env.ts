import { databaseEnv, readEnv as read, serviceEnv } from '@tideshop/kit/env'
import { z } from 'zod'

const schema = z.object({
  ...serviceEnv({ port: 8087, daprHttpPort: 3507 }),
  ...databaseEnv,
  /** Milliseconds of work per invoice. Less than a service has for what it holds when it is told to leave (kit/run.ts). */
  INVOICE_WORK_MS: z.coerce.number().int().min(0).max(10_000).default(5000),
})

export type Env = z.infer<typeof schema>

export function readEnv(source: NodeJS.ProcessEnv): Env {
  return read(schema, source)
}
