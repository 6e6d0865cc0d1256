import { type BuildContext, runBuild } from './child.ts'
import { executableIn, pathFolders } from './find.ts'

export type GoBuild = BuildContext & { module: string; target: string; flags: string[]; output: string }

export async function buildGo({
  module,
  target,
  flags,
  output,
  env,
  onLine,
  signal,
}: GoBuild): Promise<void> {
  await runBuild({
    command: goCommand(env),
    args: ['build', '-v', '-mod=readonly', '-buildvcs=false', '-trimpath', ...flags, '-o', output, target],
    cwd: module,
    // As Dapr and Prometheus release: no C, so no C compiler is needed and the result runs on any Linux.
    env: { ...env, CGO_ENABLED: '0', GOWORK: 'off' },
    onLine,
    signal,
  })
}

export function goCommand(env: NodeJS.ProcessEnv): string {
  return executableIn(pathFolders(env), 'go') ?? 'go'
}
