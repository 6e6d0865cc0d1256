import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { cacheName, cacheRoot } from './cache.ts'
import { isExecutable } from './find.ts'
import { INSTALL_RABBITMQ, lookHere, programOf, versionOf } from './here.ts'
import type { BuildablePart, Located, PartName, Program, Provided } from './part.ts'
import { RECIPES } from './recipes.ts'
import { lookForTool } from './tools.ts'

/** What the environment may configure: the address of one that runs, or the path of a program. */
const CONFIGURED: Record<PartName, { address?: string; program?: string }> = {
  daprd: { program: 'DAPRD' },
  placement: { program: 'PLACEMENT' },
  scheduler: { program: 'SCHEDULER' },
  kafka: { address: 'KAFKA_BROKERS' },
  mongodb: { address: 'MONGODB_URI' },
  rabbitmq: { address: 'RABBITMQ_URL' },
  prometheus: { address: 'PROMETHEUS_URL', program: 'PROMETHEUS' },
  dapr: { program: 'DAPR_CLI' },
}

/** What is configured wins, then what is here already, then what the package registries give. */
export async function locatePart(part: PartName, env: NodeJS.ProcessEnv): Promise<Located> {
  const configured = await configuredBy(env, part)
  if (configured !== null) return configured

  const { program, ignored } = await lookHere(part, env)
  if (program !== null) return { part, state: 'found', provided: program, ignored }
  if (part === 'rabbitmq') return { part, state: 'missing', lacks: [INSTALL_RABBITMQ], ignored }
  return fromRegistries(part, env, ignored)
}

/** The names of the variables that point to a running part or to its program. */
export function variablesOf(part: PartName): string[] {
  return Object.values(CONFIGURED[part])
}

async function configuredBy(env: NodeJS.ProcessEnv, part: PartName): Promise<Located | null> {
  const { address: addressName = '', program: programName = '' } = CONFIGURED[part]
  const address = env[addressName]
  if (address) {
    const provided: Provided = { part, kind: 'remote', address, origin: addressName }
    return { part, state: 'found', provided, ignored: [] }
  }
  const path = env[programName]
  if (!path) return null
  // A path that is wrong is told and not passed over: somebody meant it.
  if (!isExecutable(path)) {
    return {
      part,
      state: 'missing',
      lacks: [`${programName}=${path} is not an executable file`],
      ignored: [],
    }
  }
  const version = (await versionOf(part, path, env)) ?? 'of unknown version'
  return { part, state: 'found', provided: programOf(part, path, version, programName), ignored: [] }
}

async function fromRegistries(
  part: BuildablePart,
  env: NodeJS.ProcessEnv,
  ignored: string[],
): Promise<Located> {
  const { version, how, tools } = RECIPES[part]
  const folder = await folderOf(part, env)
  const built = existsSync(folder)
  const needed = built ? tools.filter((tool) => tool === 'java') : tools
  const found = await Promise.all(needed.map((tool) => lookForTool(tool, env)))
  const lacks = found.flatMap((tool) => ('lack' in tool ? [tool.lack] : []))
  if (lacks.length > 0) return { part, state: 'missing', lacks, ignored }
  if (!built) return { part, state: 'buildable', version, how, ignored }
  return { part, state: 'found', provided: await programIn(folder, part, env), ignored }
}

export async function folderOf(part: BuildablePart, env: NodeJS.ProcessEnv): Promise<string> {
  const { version, files, flags } = RECIPES[part]
  return join(cacheRoot(env), await cacheName(part, version, files, flags))
}

/** The file in which a JVM keeps the classes of an earlier run, see class-archive.ts. */
export const ARCHIVE = 'classes.jsa'

export function archiveFolderOf(folder: string): string {
  return `${folder}-classes`
}

/** What to run of a part that was provided into `folder`. */
export async function programIn(
  folder: string,
  part: BuildablePart,
  env: NodeJS.ProcessEnv,
): Promise<Program> {
  const { version, program, tools } = RECIPES[part]
  const java = tools.includes('java') ? await lookForTool('java', env) : null
  const { command, args } = program(folder, java !== null && 'path' in java ? java.path : 'java')
  const archive = join(archiveFolderOf(folder), ARCHIVE)
  const faster = existsSync(archive) ? [`-XX:SharedArchiveFile=${archive}`] : []
  const provided: Program = {
    part,
    kind: 'program',
    command,
    args: [...faster, ...args],
    version,
    origin: folder,
  }
  return part === 'mongodb' ? { ...provided, dialect: 'embedded' } : provided
}
