import { statSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { MongoServerSelectionError, MongoTopologyClosedError } from 'mongodb'
import { backup } from './backup.ts'
import { restore } from './restore.ts'
import { closeSystem, openSystem, type Report, type System } from './system.ts'

/** Where `pnpm start` has them. */
const DEFAULT_BROKERS = '127.0.0.1:19092'
const DEFAULT_MONGODB = 'mongodb://127.0.0.1:27117'

const help = {
  backup: `pnpm backup <file>    stores and topics of the shop into one new file

Best of a quiet shop: it says at the end whether it was. The services may run.`,
  restore: `pnpm restore <file>   puts a backup into an empty system

Kafka and the database have to run, and the services must not: pnpm backbone --fresh empties and starts just these.
The file is read to its end first, and nothing is touched unless it is whole.`,
}

const options = `
  --brokers LIST    host:port, comma-separated (default: KAFKA_BROKERS, else ${DEFAULT_BROKERS})
  --mongodb URI     (default: MONGODB_URI, else ${DEFAULT_MONGODB})`

type Command = keyof typeof help

async function main(): Promise<void> {
  const { values, positionals } = readArguments()
  const [name = '', file, ...more] = positionals
  if (!Object.hasOwn(help, name)) throw new Error(`cannot do: ${name}`)
  const command = name as Command
  const usage = `${help[command]}\n${options}`
  if (values.help) return say(usage)
  if (file === undefined || more.length > 0) throw new Error(`which file?\n\n${usage}`)

  const system = openSystem(values.brokers, values.mongodb)
  try {
    await run(command, system, file)
  } catch (error) {
    throw inWords(error as Error, values)
  } finally {
    await closeSystem(system)
  }
}

function readArguments() {
  return parseArgs({
    allowPositionals: true,
    options: {
      brokers: { type: 'string', default: process.env['KAFKA_BROKERS'] ?? DEFAULT_BROKERS },
      mongodb: { type: 'string', default: process.env['MONGODB_URI'] ?? DEFAULT_MONGODB },
      help: { type: 'boolean', short: 'h', default: false },
    },
  })
}

async function run(command: Command, system: System, file: string): Promise<void> {
  const report: Report = (text) => say(`  ${text}`)
  if (command === 'restore') {
    const { documents, records, quiet } = await restore(system, file, report)
    say(`${documents} documents and ${records} records restored. The services may start.`)
    if (!quiet) say('The shop was at work when this backup was taken: look at pnpm dead list afterwards.')
    return
  }
  const { documents, records, quiet } = await backup(system, file, report)
  say(`${documents} documents and ${records} records in ${file}, ${statSync(file).size} bytes`)
  if (!quiet) say(busy)
}

const busy = `The shop was at work meanwhile. What was accepted before the backup began is in it, and is finished after a
restore; what was accepted later may be missing, or leave a dead letter. Take another when the shop is quiet, if you can.`

function inWords(error: Error, { brokers, mongodb }: { brokers: string; mongodb: string }): Error {
  // Of several questions at once, one hears that nobody is there, and the others that nobody asks any more.
  const nobody = error instanceof MongoServerSelectionError || error instanceof MongoTopologyClosedError
  if (nobody) return new Error(`no database answers at ${withoutPassword(mongodb)}`)
  return isUnreachable(error)
    ? new Error(`no Kafka answers at ${brokers}: is the shop open? (pnpm start)`)
    : error
}

/** The client wraps what went wrong, more than once. */
function isUnreachable(error: unknown): boolean {
  const { code, errors = [], cause } = Object(error)
  return code === 'PLT_KFK_NETWORK' || [...errors, ...(cause ? [cause] : [])].some(isUnreachable)
}

function withoutPassword(uri: string): string {
  return uri.replace(/\/\/[^@/]*@/, '//')
}

function say(text: string): void {
  process.stdout.write(`${text}\n`)
}

main().catch((error: Error) => {
  process.stderr.write(`${error.message}\n`)
  process.exitCode = 1
})
