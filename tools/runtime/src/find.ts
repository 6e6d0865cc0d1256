import { accessSync, constants, existsSync, statSync } from 'node:fs'
import { homedir } from 'node:os'
import { delimiter, join } from 'node:path'

/** The first executable of this name in these folders, or null. */
export function executableIn(folders: string[], name: string): string | null {
  for (const folder of folders) {
    const path = join(folder, name)
    if (isExecutable(path)) return path
  }
  return null
}

export function pathFolders(env: NodeJS.ProcessEnv): string[] {
  const { PATH = '' } = env
  return PATH.split(delimiter).filter((folder) => folder !== '')
}

/** Where the Dapr CLI puts its binaries, beside the PATH. */
export function daprFolders(env: NodeJS.ProcessEnv): string[] {
  const { DAPR_RUNTIME_PATH } = env
  const roots = [DAPR_RUNTIME_PATH, homeOf(env)].filter((root) => root !== undefined)
  return [...pathFolders(env), ...roots.map((root) => join(root, '.dapr', 'bin'))]
}

export function homeOf(env: NodeJS.ProcessEnv): string {
  const { HOME = homedir() } = env
  return HOME
}

/** `java` and `javac` of JAVA_HOME before those on the PATH, as every Java tool does. */
export function javaFolders(env: NodeJS.ProcessEnv): string[] {
  const { JAVA_HOME } = env
  const ofHome = JAVA_HOME !== undefined && existsSync(JAVA_HOME) ? [join(JAVA_HOME, 'bin')] : []
  return [...ofHome, ...pathFolders(env)]
}

export function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return statSync(path).isFile()
  } catch {
    return false
  }
}
