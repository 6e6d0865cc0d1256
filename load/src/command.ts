import { CannotRun } from './arguments.ts'

/** What can be run by its name. It prints its own report and tells whether the shop kept its promises. */
export type Scenario = {
  summary: string
  help: string
  run(args: string[], stop: AbortSignal): Promise<boolean>
}

const EXIT = { good: 0, broken: 1, cannotRun: 2, interrupted: 130 }

export type Command = {
  /** As it is typed. */
  name: string
  scenarios: Record<string, Scenario>
  /** Whatever hangs, a run ends. */
  runMsMax: number
}

/** Runs what was typed; returns the exit code. */
export async function runCommand(command: Command, typed: string[]): Promise<number> {
  // npm needs `--` before the options of a script, pnpm hands it on.
  const [name, ...args] = typed[0] === '--' ? typed.slice(1) : typed
  if (name === undefined || name === '--help' || name === '-h') {
    console.log(listOf(command))
    return name === undefined ? EXIT.cannotRun : EXIT.good
  }
  const scenario = Object.hasOwn(command.scenarios, name) ? command.scenarios[name] : undefined
  if (!scenario) {
    console.error(`There is no scenario "${name}".\n\n${listOf(command)}`)
    return EXIT.cannotRun
  }
  if (args.includes('--help') || args.includes('-h')) {
    console.log(scenario.help)
    return EXIT.good
  }
  return runToTheEnd(scenario, args, command.runMsMax)
}

async function runToTheEnd(scenario: Scenario, args: string[], runMsMax: number): Promise<number> {
  const interrupt = new AbortController()
  // Once: the second Ctrl-C ends the process at once, as everywhere.
  process.once('SIGINT', () => interrupt.abort())
  process.once('SIGTERM', () => interrupt.abort())
  const stop = AbortSignal.any([interrupt.signal, AbortSignal.timeout(runMsMax)])
  try {
    const good = await scenario.run(args, stop)
    if (!good) return EXIT.broken
    return stop.aborted ? EXIT.interrupted : EXIT.good
  } catch (error) {
    if (stop.aborted) return EXIT.interrupted
    if (!(error instanceof CannotRun)) throw error
    console.error(error.message)
    return EXIT.cannotRun
  }
}

function listOf({ name, scenarios }: Command): string {
  const lines = Object.entries(scenarios).map(([each, { summary }]) => `  ${each.padEnd(10)}${summary}`)
  return `${name} <scenario> [options]\n\n${lines.join('\n')}\n\n--help after a scenario tells its options.`
}
