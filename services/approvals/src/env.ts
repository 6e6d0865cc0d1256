import { z } from 'zod'

const schema = z.object({
  PORT: z.coerce.number().int().default(8083),
  DAPR_HTTP_PORT: z.coerce.number().int().default(3503),
  LOG_LEVEL: z.enum(['debug', 'info', 'warn', 'error']).default('info'),
  /** Milliseconds for which the sidecar lets a batch grow; far more for a released daprd, see docs/dapr-notes.md. */
  BATCH_WAIT_MS: z.coerce.number().int().min(1).max(10_000).default(20),
  /** Milliseconds of work per approval. */
  APPROVAL_WORK_MS: z.coerce.number().int().min(0).max(60_000).default(200),
  /** Comma-separated names. */
  APPROVAL_DENIED_NAMES: z.string().default('mallory'),
})

export type Env = z.infer<typeof schema>

export function readEnv(source: NodeJS.ProcessEnv): Env {
  return schema.parse(source)
}
