import { existsSync, readdirSync, realpathSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { says } from './child.ts'
import { daprFolders, executableIn, pathFolders } from './find.ts'
import type { PartName, Program } from './part.ts'
import { KAFKA_JVM } from './recipes.ts'
import { lookForTool } from './tools.ts'
import { atLeast, type Version, versionIn, versionTextIn, written } from './version.ts'

/** Below these something that the shop uses is not there yet. */
const MINIMUM: Record<PartName, Version> = {
  daprd: [1, 18, 0],
  placement: [1, 18, 0],
  scheduler: [1, 18, 0],
  kafka: [4, 0, 0],
  mongodb: [5, 0, 0],
  rabbitmq: [3, 10, 0],
  prometheus: [2, 40, 0],
  // `dapr run -f .` was not tried with an older one.
  dapr: [1, 16, 0],
}

/** A program that is here already, or none; `ignored` says what was here and why it is not taken. */
export type Here = { program: Program | null; ignored: string[] }

export async function lookHere(part: PartName, env: NodeJS.ProcessEnv): Promise<Here> {
  if (part === 'kafka') return kafkaHere(env)
  if (part === 'rabbitmq') return rabbitmqHere(env)
  const folders = part === 'mongodb' || part === 'prometheus' ? pathFolders(env) : daprFolders(env)
  const command = executableIn(folders, part === 'mongodb' ? 'mongod' : part)
  if (command === null) return { program: null, ignored: [] }

  const version = await versionOf(part, command, env)
  const complaint = complaintAbout(part, version)
  if (version === null || complaint !== null) return { program: null, ignored: [`${command} ${complaint}`] }
  return { program: programOf(part, command, version, command), ignored: [] }
}

export function programOf(part: PartName, command: string, version: string, origin: string): Program {
  const program: Program = { part, kind: 'program', command, args: [], version, origin }
  if (part !== 'mongodb') return program
  return { ...program, version: `mongod ${version}`, dialect: 'mongod' }
}

/**
 * As it is said, with what tells builds of one version apart. Placement and scheduler cannot say theirs: the daprd
 * that was installed beside them says it.
 */
export async function versionOf(
  part: PartName,
  command: string,
  env: NodeJS.ProcessEnv,
): Promise<string | null> {
  const silent = part === 'placement' || part === 'scheduler'
  const asked = silent ? join(dirname(command), 'daprd') : command
  return versionTextIn((await says(asked, ['--version'], env)) ?? '')
}

function complaintAbout(part: PartName, said: string | null): string | null {
  const minimum = MINIMUM[part]
  const version = versionIn(said ?? '')
  if (version === null) return `does not say its version, ${written(minimum)} or newer is needed`
  return atLeast(version, minimum) ? null : `is ${said}, ${written(minimum)} or newer is needed`
}

/** Kafka is a folder of jars. Its start scripts are not used: they choose a heap and a log of their own. */
async function kafkaHere(env: NodeJS.ProcessEnv): Promise<Here> {
  const libs = kafkaLibs(env)
  if (libs === null) return { program: null, ignored: [] }

  const jar = readdirSync(libs).find((name) => /^kafka_[\d.]+-[\d.]+\.jar$/.test(name))
  const version = versionTextIn(jar?.replace('.jar', '').split('-')[1] ?? '')
  const complaint = complaintAbout('kafka', version)
  if (version === null || complaint !== null)
    return { program: null, ignored: [`Kafka in ${libs} ${complaint}`] }

  const java = await lookForTool('java', env)
  if ('lack' in java) return { program: null, ignored: [`Kafka in ${libs}: ${java.lack}`] }
  const args = [...KAFKA_JVM, '-cp', `${libs}/*`]
  const program: Program = {
    part: 'kafka',
    kind: 'program',
    command: java.path,
    args,
    version,
    origin: libs,
  }
  return { program, ignored: [] }
}

function kafkaLibs(env: NodeJS.ProcessEnv): string | null {
  const script = executableIn(pathFolders(env), 'kafka-server-start.sh')
  const ofScript = script === null ? undefined : dirname(dirname(realpathSync(script)))
  const { KAFKA_HOME: home = ofScript } = env
  if (home === undefined) return null
  const libs = join(home, 'libs')
  return existsSync(libs) ? libs : null
}

/** What `brew` and Debian call the folder of a version: its files say it, while a question would start an Erlang. */
const RABBITMQ_FOLDER = /rabbitmq(?:_server-|\/)(\d+(?:\.\d+)*)\//

export const INSTALL_RABBITMQ = `RabbitMQ ≥ ${written(MINIMUM.rabbitmq)} (rabbitmq-server and Erlang's epmd) is not on the PATH: apt-get install --no-install-recommends rabbitmq-server (Debian) or brew install rabbitmq (macOS)`

function rabbitmqHere(env: NodeJS.ProcessEnv): Here {
  const found = executableIn(pathFolders(env), 'rabbitmq-server')
  if (found === null) return { program: null, ignored: [] }
  const real = realpathSync(found)
  // Debian's wrapper runs it as a user of its own and for the system's folders only; the program is beside it.
  const command =
    basename(real) === 'rabbitmq-script-wrapper' ? join(dirname(real), 'rabbitmq-server') : found
  const version = RABBITMQ_FOLDER.exec(realpathSync(command))?.[1] ?? null
  const complaint = complaintAbout('rabbitmq', version)
  if (version === null || complaint !== null) return { program: null, ignored: [`${command} ${complaint}`] }
  if (executableIn(pathFolders(env), 'epmd') === null) {
    return { program: null, ignored: [`${command}: epmd, a part of Erlang, is not on the PATH`] }
  }
  return { program: programOf('rabbitmq', command, version, command), ignored: [] }
}
