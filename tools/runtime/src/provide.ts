import { join } from 'node:path'
import { keep } from './cache.ts'
import type { BuildContext } from './child.ts'
import { rehearseKafka } from './class-archive.ts'
import { ARCHIVE, archiveFolderOf, folderOf, locatePart, programIn, variablesOf } from './locate.ts'
import type { Located, PartName, Provided } from './part.ts'
import { Progress } from './progress.ts'
import { RECIPES } from './recipes.ts'

export type { Located, PartName, Provided } from './part.ts'

export type ProvideOptions = {
  env?: NodeJS.ProcessEnv
  /** Gets lines for people while something is built, at least every 2 s. */
  report?: (line: string) => void
  /** Ends a build and its children. */
  signal?: AbortSignal
}

/** Finds a part, or builds it once and keeps it. Nothing is started. */
export async function provide(part: PartName, options: ProvideOptions = {}): Promise<Provided> {
  const { env = process.env, report = () => {}, signal } = options
  const located = await locate(part, env)
  if (located.state === 'missing') throw new MissingTool(located)
  if (located.state === 'found') return located.provided

  const { part: buildable } = located
  const folder = await folderOf(buildable, env)
  const say = (line: string) => report(`${part} ${located.version}: ${line}`)
  await keep({
    folder,
    report: say,
    signal,
    fill: async (unfinished) => {
      using progress = new Progress(`${located.how}, the first time only`, say)
      await RECIPES[buildable].fill(unfinished, { env, signal, onLine: (line) => progress.heard(line) })
    },
  })
  if (part === 'kafka') await archiveClasses(folder, say, { env, signal, onLine: () => {} })
  return programIn(folder, buildable, env)
}

/** Only saves time: without an archive Kafka starts all the same. */
async function archiveClasses(
  jars: string,
  report: (line: string) => void,
  context: BuildContext,
): Promise<void> {
  const program = await programIn(jars, 'kafka', context.env)
  const fill = async (unfinished: string) => {
    using _progress = new Progress('rehearsing its start, the first time only', report)
    await rehearseKafka(program, join(unfinished, ARCHIVE), context)
  }
  try {
    await keep({ folder: archiveFolderOf(jars), fill, report, signal: context.signal })
  } catch (error) {
    context.signal?.throwIfAborted()
    report(
      `will start a second slower, its rehearsal failed: ${error instanceof Error ? error.message : error}`,
    )
  }
}

/** The same look-up without building anything. */
export async function locate(part: PartName, env: NodeJS.ProcessEnv = process.env): Promise<Located> {
  return locatePart(part, env)
}

/** A part that cannot be had here: what is lacking, and the ways out. */
export class MissingTool extends Error {
  readonly part: PartName

  constructor({ part, lacks }: Located & { state: 'missing' }) {
    const variables = variablesOf(part).map((name) => `${name}=…`)
    super(
      [
        `${part} cannot be provided:`,
        ...lacks.map((lack) => `  - ${lack}`),
        'Either install what is lacking, or let Docker run everything: docker compose up.',
        `If ${part} is somewhere already, say where: ${variables.join(' or ')}.`,
      ].join('\n'),
    )
    this.name = 'MissingTool'
    this.part = part
  }
}
