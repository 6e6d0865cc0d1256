import { runCommand } from './command.ts'
import * as postman from './postman.ts'
import * as saga from './saga.ts'

const RUN_MS_MAX = 30 * 60_000

process.exitCode = await runCommand(
  { name: 'pnpm load', scenarios: { postman, saga }, runMsMax: RUN_MS_MAX },
  process.argv.slice(2),
)
