import { listenerEnv, readEnv as read, serviceEnv } from '@tideshop/kit/env'
import { z } from 'zod'

const schema = z.object({
  ...serviceEnv({ port: 8083, daprHttpPort: 3503 }),
  ...listenerEnv,
  /** Milliseconds of work per approval. */
  APPROVAL_WORK_MS: z.coerce.number().int().min(0).max(60_000).default(200),
  /** Comma-separated names. */
  APPROVAL_DENIED_NAMES: z.string().default('mallory'),
})

export type Env = z.infer<typeof schema>

export function readEnv(source: NodeJS.ProcessEnv): Env {
  return read(schema, source)
}
