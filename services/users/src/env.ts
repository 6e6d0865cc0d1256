import { z } from 'zod'

const schema = z.object({
  PORT: z.coerce.number().int().default(8082),
  DAPR_HTTP_PORT: z.coerce.number().int().default(3502),
  MONGODB_URI: z.string().default('mongodb://127.0.0.1:27117'),
  LOG_LEVEL: z.enum(['debug', 'info', 'warn', 'error']).default('info'),
})

export type Env = z.infer<typeof schema>

export function readEnv(source: NodeJS.ProcessEnv): Env {
  return schema.parse(source)
}
