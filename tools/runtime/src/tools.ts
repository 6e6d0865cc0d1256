import { says } from './child.ts'
import { executableIn, javaFolders, pathFolders } from './find.ts'
import { atLeast, type Version, versionIn, written } from './version.ts'

/** What parts are built with, and `java`, which also runs two of them. */
export type ToolName = 'go' | 'java' | 'javac' | 'mvn'

/** A tool that is there and new enough, or one sentence on what is lacking and how to get it. */
export type Tool = { name: ToolName } & ({ path: string; version: string } | { lack: string })

type Wanted = { title: string; minimum: Version; ask: string[]; install: string }

const JDK = 'apt-get install default-jdk-headless (Debian) or brew install openjdk (macOS)'

const WANTED: Record<ToolName, Wanted> = {
  go: {
    title: 'Go',
    minimum: [1, 26, 0],
    ask: ['version'],
    // Older Debians carry an older Go; from 1.21 on it fetches the newer one that go.mod asks for by itself.
    install: 'apt-get install golang-go (Debian 13 or newer) or brew install go (macOS)',
  },
  java: { title: 'a JDK', minimum: [17, 0, 0], ask: ['-version'], install: JDK },
  javac: { title: 'a JDK', minimum: [17, 0, 0], ask: ['-version'], install: JDK },
  mvn: {
    title: 'Maven',
    minimum: [3, 6, 0],
    ask: ['-v'],
    install: 'apt-get install maven (Debian) or brew install maven (macOS)',
  },
}

/** The first Go that replaces itself by what a go.mod asks for, unless GOTOOLCHAIN forbids it. */
const GO_FETCHES_NEWER: Version = [1, 21, 0]

export async function lookForTool(name: ToolName, env: NodeJS.ProcessEnv): Promise<Tool> {
  const { title, minimum, ask, install } = WANTED[name]
  const wanted = `${title} ≥ ${minimum.slice(0, 2).join('.')} (${name})`
  const path = executableIn(name.startsWith('java') ? javaFolders(env) : pathFolders(env), name)
  if (path === null) return { name, lack: `${wanted} is not on the PATH: ${install}` }

  // macOS has a `java` that only says that there is no Java: it fails, as a broken one does.
  const version = versionIn((await says(path, ask, env)) ?? '')
  if (version === null) return { name, lack: `${path} does not run, ${wanted} is needed: ${install}` }
  if (atLeast(version, minimum)) return { name, path, version: written(version) }
  if (name === 'go' && atLeast(version, GO_FETCHES_NEWER) && (await fetchesNewer(path, env))) {
    return {
      name,
      path,
      version: `${written(version)}, which fetches ${minimum.slice(0, 2).join('.')} itself`,
    }
  }
  return { name, lack: `${path} is ${written(version)}, ${wanted} is needed: ${install}` }
}

async function fetchesNewer(go: string, env: NodeJS.ProcessEnv): Promise<boolean> {
  return (await says(go, ['env', 'GOTOOLCHAIN'], env))?.includes('auto') ?? false
}
