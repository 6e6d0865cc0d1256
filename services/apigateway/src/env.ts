import { z } from 'zod'

const schema = z.object({
  PORT: z.coerce.number().int().default(8080),
  DAPR_HTTP_PORT: z.coerce.number().int().default(3500),
  LOG_LEVEL: z.enum(['debug', 'info', 'warn', 'error']).default('info'),
})

export type Env = z.infer<typeof schema>

export function readEnv(source: NodeJS.ProcessEnv): Env {
  return schema.parse(source)
}
