import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { DOOR, NAMESPACE, placeOf } from '@tideshop/cluster/place'
import { CannotRun } from './arguments.ts'
import { KubeApi } from './cluster/api.ts'
import { readKubeconfig } from './cluster/kubeconfig.ts'
import { ClusterWatch } from './cluster/watch.ts'
import { answersAt, DEFAULT_BASE_URL, expectShop, isLoopback, loopbackOrigin } from './target.ts'

/** Where load goes, and the cluster behind it, or null for a shop of `pnpm start`. */
export type Ground = { baseUrl: string; cluster: ClusterWatch | null }

export type GroundOptions = {
  'base-url'?: string | undefined
  cluster?: boolean | undefined
  kubeconfig?: string | undefined
  context?: string | undefined
}

export const groundOptions = {
  'base-url': { type: 'string' },
  cluster: { type: 'boolean' },
  kubeconfig: { type: 'string' },
  context: { type: 'string' },
} as const

export const groundHelp = `  --base-url      a shop on this machine (default ${DEFAULT_BASE_URL}, or the cluster's ${DOOR} when nothing
                  answers there)
  --cluster       the shop in the cluster of \`pnpm cluster up\`, with its scaling; by itself at the cluster's address
  --kubeconfig    another cluster's, on this machine too; with --base-url for its door
  --context       which one of that file, or of $KUBECONFIG or ~/.kube/config; with --base-url for its door`

/** Throws a sentence when there is no shop, or no cluster where one was asked for. */
export async function findGround(options: GroundOptions): Promise<Ground> {
  const { 'base-url': typed, cluster = false, context } = options
  const another = anotherKubeconfig(options)
  const isAsked = cluster || another !== null
  const baseUrl = typed === undefined ? await addressOf(isAsked) : loopbackOrigin(typed)
  await expectShop(baseUrl)
  if (!isAsked && baseUrl !== DOOR) return { baseUrl, cluster: null }
  const file = another ?? placeOf(process.env).kubeconfig
  if (!isAsked && !existsSync(file)) return { baseUrl, cluster: null }
  return { baseUrl, cluster: await clusterOf(file, context) }
}

async function addressOf(isCluster: boolean): Promise<string> {
  if (isCluster) return DOOR
  return (await answersAt(DEFAULT_BASE_URL)) || !(await answersAt(DOOR)) ? DEFAULT_BASE_URL : DOOR
}

/** Of a cluster that `pnpm cluster up` did not start here, where one was named. */
function anotherKubeconfig({ 'base-url': door, kubeconfig, context }: GroundOptions): string | null {
  if (kubeconfig === undefined && context === undefined) return null
  if (door === undefined) {
    throw new CannotRun('--base-url has to say where the door of that cluster is (kubectl port-forward)')
  }
  const { KUBECONFIG } = process.env
  return kubeconfig ?? (KUBECONFIG || join(homedir(), '.kube', 'config'))
}

async function clusterOf(file: string, context: string | undefined): Promise<ClusterWatch> {
  const access = readKubeconfig(file, context)
  if (!isLoopback(access.server)) throw new CannotRun(`the cluster of ${file} is not on this machine`)
  const watch = new ClusterWatch(new KubeApi(access), NAMESPACE)
  try {
    await watch.look()
  } catch (error) {
    await watch.api.close()
    throw new CannotRun(`the cluster of ${file} cannot be watched: ${(error as Error).message}`)
  }
  return watch
}
