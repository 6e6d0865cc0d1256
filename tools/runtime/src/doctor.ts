import { parseArgs } from 'node:util'
import { kafkaNote } from './build-daprd.ts'
import { cacheRoot } from './cache.ts'
import { says } from './child.ts'
import { executableIn, pathFolders } from './find.ts'
import { type Located, PARTS, type PartName } from './part.ts'
import { locate } from './provide.ts'
import { lookForTool, type ToolName } from './tools.ts'
import { versionIn, written } from './version.ts'

const HELP = `What the shop needs on this machine, and where it comes from. Nothing is built, started or changed.

  pnpm run doctor     (without "run", pnpm examines itself)

Exit code 1 if something that \`pnpm start\` needs cannot be had.
`

/** Without these the shop cannot start; the others are for invoices, for metrics and for `dapr run -f .`. */
const NEEDED: PartName[] = ['daprd', 'placement', 'scheduler', 'kafka', 'mongodb']
const TOOLS: ToolName[] = ['go', 'java', 'javac', 'mvn']
const NAME_WIDTH = 11

const { values } = parseArgs({ options: { help: { type: 'boolean', short: 'h' } } })
if (values.help) process.stdout.write(HELP)
else process.exitCode = await examine(process.env)

/** Writes the report, and gives the exit code. */
async function examine(env: NodeJS.ProcessEnv): Promise<number> {
  const parts = await Promise.all(PARTS.map((part) => locate(part, env)))
  const missing = parts.filter((located) => located.state === 'missing' && NEEDED.includes(located.part))
  say('Parts of the shop')
  for (const located of parts) describe(located)
  say('', 'Tools')
  for (const line of await toolLines(env)) say(line)
  say('', `What is built is kept in ${cacheRoot(env)}; it may be deleted whenever nothing of it runs.`)
  if (missing.length === 0) {
    say('Everything that `pnpm start` needs is here, or will be provided by it.')
    return 0
  }
  say(`Missing for \`pnpm start\`: ${missing.map(({ part }) => part).join(', ')}.`)
  say('Install what is lacking, or let Docker run everything: docker compose up.')
  return 1
}

function describe(located: Located): void {
  say(row(located.state === 'missing' ? '✗' : '✓', located.part, summary(located)))
  if (located.part === 'daprd') noteOnKafka(located)
  for (const reason of located.ignored) say(row(' ', '', `not taken: ${reason}`))
  if (located.state === 'missing') for (const lack of located.lacks) say(row(' ', '', lack))
  if (located.state === 'missing' && located.part === 'rabbitmq') {
    say(row(' ', '', 'without it the shop opens without invoices'))
  }
}

function noteOnKafka(located: Located): void {
  if (located.state === 'buildable') say(row(' ', '', kafkaNote(located.version)))
  if (located.state === 'found' && located.provided.kind === 'program') {
    say(row(' ', '', kafkaNote(located.provided.version)))
  }
}

function summary(located: Located): string {
  if (located.state === 'missing') return 'cannot be provided'
  if (located.state === 'buildable') return `${located.version}, will be ${located.how}, the first time only`
  const { provided } = located
  if (provided.kind === 'remote') return `${withoutPassword(provided.address)}, as ${provided.origin} says`
  return `${provided.version}, from ${provided.origin}`
}

async function toolLines(env: NodeJS.ProcessEnv): Promise<string[]> {
  const tools = await Promise.all(TOOLS.map((name) => lookForTool(name, env)))
  const others = await Promise.all(['pnpm', 'docker'].map((name) => optional(name, env)))
  return [
    row('✓', 'node', `${process.versions.node}, ${process.execPath}`),
    ...tools.map((tool) =>
      'lack' in tool ? row('-', tool.name, tool.lack) : row('✓', tool.name, `${tool.version}, ${tool.path}`),
    ),
    ...others,
  ]
}

/** Never needed: npx brings pnpm, and the shop runs without Docker. */
async function optional(name: string, env: NodeJS.ProcessEnv): Promise<string> {
  const path = executableIn(pathFolders(env), name)
  if (path === null) return row('-', name, 'not on the PATH, and not needed')
  const version = versionIn((await says(path, ['--version'], env)) ?? '')
  return row('✓', name, `${version === null ? 'does not run' : written(version)}, ${path}`)
}

function row(mark: string, name: string, text: string): string {
  return `  ${mark} ${name.padEnd(NAME_WIDTH)} ${text}`
}

/** A report is pasted into issues. */
function withoutPassword(address: string): string {
  return address.replace(/\/\/[^@/]*@/, '//…@')
}

function say(...lines: string[]): void {
  process.stdout.write(`${lines.join('\n')}\n`)
}
