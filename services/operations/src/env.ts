import { z } from 'zod'

const schema = z.object({
  PORT: z.coerce.number().int().default(8081),
  DAPR_HTTP_PORT: z.coerce.number().int().default(3501),
  MONGODB_URI: z.string().default('mongodb://127.0.0.1:27117'),
  LOG_LEVEL: z.enum(['debug', 'info', 'warn', 'error']).default('info'),
  /** Milliseconds for which the sidecar lets a batch grow; far more for a released daprd, see docs/dapr-notes.md. */
  BATCH_WAIT_MS: z.coerce.number().int().min(1).max(10_000).default(20),
})

export type Env = z.infer<typeof schema>

export function readEnv(source: NodeJS.ProcessEnv): Env {
  return schema.parse(source)
}
