import { type BuildContext, runBuild } from './child.ts'
import { executableIn, pathFolders } from './find.ts'

/**
 * The compiler's own collector: by Go's default it takes a sixth of a build's processor time (CoreDNS, in turn, two pairs: 163 s, and 137 with
 * these). The limit keeps a large package from taking what a small machine has not.
 */
const COLLECTOR = { GOGC: '400', GOMEMLIMIT: '2GiB' }

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
    env: { ...COLLECTOR, ...env, CGO_ENABLED: '0', GOWORK: 'off' },
    onLine,
    signal,
  })
}

export function goCommand(env: NodeJS.ProcessEnv): string {
  return executableIn(pathFolders(env), 'go') ?? 'go'
}
