import { z } from 'zod'

/** The settings that services share; each service's env.ts puts together what it needs and adds its own. */

/** TCP ports, as dapr.yaml gives them. */
export function serviceEnv(defaults: { port: number; daprHttpPort: number }) {
  return {
    PORT: z.coerce.number().int().default(defaults.port),
    DAPR_HTTP_PORT: z.coerce.number().int().default(defaults.daprHttpPort),
    LOG_LEVEL: z.enum(['debug', 'info', 'warn', 'error']).default('info'),
    /** Where the process shall die, for a test: kit/crash-point.ts. */
    CRASH_AT: z.string().optional(),
  }
}

export const listenerEnv = {
  /** Milliseconds for which the sidecar lets a batch grow; far more for a released daprd, see docs/dapr-notes.md. */
  BATCH_WAIT_MS: z.coerce.number().int().min(1).max(10_000).default(20),
}

export const databaseEnv = {
  MONGODB_URI: z.string().startsWith('mongodb').default('mongodb://127.0.0.1:27117'),
}

/** Read once, at the start. A setting that cannot be right ends the process with its name. */
export function readEnv<T>(schema: z.ZodType<T>, source: NodeJS.ProcessEnv): T {
  const { success, data, error } = schema.safeParse(source)
  if (success) return data
  throw new Error(`the environment cannot be right:\n${z.prettifyError(error)}`)
}
