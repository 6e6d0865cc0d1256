import { runCommand } from '../src/command.ts'
import * as compare from './compare.ts'
import * as saga from './saga.ts'

/** Five searches for the knee take half an hour; a run over half an hour, for memory, as well. */
const RUN_MS_MAX = 90 * 60_000

process.exitCode = await runCommand(
  { name: 'pnpm bench', scenarios: { saga, compare }, runMsMax: RUN_MS_MAX },
  process.argv.slice(2),
)
// A child's pipe or a socket on its way out must not keep it.
process.exit()
