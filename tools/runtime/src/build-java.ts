import { type BuildContext, runBuild } from './child.ts'
import { executableIn, javaFolders, pathFolders } from './find.ts'

export type JavaBuild = BuildContext & { project: string; profile: string; sources: string[]; folder: string }

/** Fetches the jars of one profile of pom.xml into `jars`, and compiles `sources` against them into `classes`. */
export async function buildJava(build: JavaBuild): Promise<void> {
  const { project, profile, sources, folder, env, onLine, signal } = build
  await runBuild({
    command: executableIn(pathFolders(env), 'mvn') ?? 'mvn',
    args: ['-B', '-P', profile, 'dependency:copy-dependencies', `-DoutputDirectory=${folder}/jars`],
    cwd: project,
    env,
    onLine,
    signal,
  })
  if (sources.length === 0) return
  await runBuild({
    command: executableIn(javaFolders(env), 'javac') ?? 'javac',
    args: ['-cp', `${folder}/jars/*`, '-d', `${folder}/classes`, ...sources],
    cwd: project,
    env,
    onLine,
    signal,
  })
}
