import { CannotRun } from './arguments.ts'
import * as postman from './postman.ts'
import * as saga from './saga.ts'

/** A scenario prints its own report and tells whether the shop kept its promises. */
type Scenario = {
  summary: string
  help: string
  run(args: string[], stop: AbortSignal): Promise<boolean>
}

const scenarios: Record<string, Scenario> = { postman, saga }

/** Whatever hangs, a run ends. */
const RUN_MS_MAX = 30 * 60_000

const EXIT = { good: 0, broken: 1, cannotRun: 2, interrupted: 130 }

process.exitCode = await main(process.argv.slice(2))

async function main([name, ...args]: string[]): Promise<number> {
  if (name === undefined || name === '--help' || name === '-h') {
    console.log(listOfScenarios())
    return name === undefined ? EXIT.cannotRun : EXIT.good
  }
  const scenario = Object.hasOwn(scenarios, name) ? scenarios[name] : undefined
  if (!scenario) {
    console.error(`There is no scenario "${name}".\n\n${listOfScenarios()}`)
    return EXIT.cannotRun
  }
  if (args.includes('--help') || args.includes('-h')) {
    console.log(scenario.help)
    return EXIT.good
  }
  return runToTheEnd(scenario, args)
}

async function runToTheEnd(scenario: Scenario, args: string[]): Promise<number> {
  const interrupt = new AbortController()
  // Once: the second Ctrl-C ends the process at once, as everywhere.
  process.once('SIGINT', () => interrupt.abort())
  process.once('SIGTERM', () => interrupt.abort())
  try {
    const stop = AbortSignal.any([interrupt.signal, AbortSignal.timeout(RUN_MS_MAX)])
    const good = await scenario.run(args, stop)
    if (!good) return EXIT.broken
    return stop.aborted ? EXIT.interrupted : EXIT.good
  } catch (error) {
    if (!(error instanceof CannotRun)) throw error
    console.error(error.message)
    return EXIT.cannotRun
  }
}

function listOfScenarios(): string {
  const lines = Object.entries(scenarios).map(([name, { summary }]) => `  ${name.padEnd(10)}${summary}`)
  return `pnpm load <scenario> [options]\n\n${lines.join('\n')}\n\n--help after a scenario tells its options.`
}
