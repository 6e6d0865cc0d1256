import { executableIn, pathFolders } from '@tideshop/runtime/find'
import { buildBinary } from '../binaries.ts'
import type { Making } from '../images.ts'
import { Kubectl } from '../kubectl.ts'
import { lastLine } from './waiting.ts'

const ANSWERS_WITHIN = '10s'

/** The caller's own, or else the one in our build of Kubernetes. */
export async function findKubectl(making: Making): Promise<[command: string, ...first: string[]]> {
  const own = executableIn(pathFolders(making.env), 'kubectl')
  if (own !== null) return [own]
  if (process.platform !== 'linux') {
    throw new Error(
      'kubectl is not on the PATH: brew install kubectl (macOS), or https://kubernetes.io/docs/tasks/tools',
    )
  }
  return [await buildBinary('kubelite', making), 'kubectl']
}

/** kubectl at the cluster of a context, whatever becomes of it. */
export async function kubectlTo(context: string, making: Making): Promise<Kubectl> {
  const [command, ...first] = await findKubectl(making)
  return new Kubectl(command, ...first, '--context', context)
}

/** The same with the cluster's version; throws a sentence when there is no way to it. */
export async function reach(
  context: string,
  making: Making,
): Promise<{ kubectl: Kubectl; kubernetes: string }> {
  const kubectl = await kubectlTo(context, making)
  const names = await kubectl.run('config', 'get-contexts', '--output=name')
  const known = names.split('\n').filter((name) => name !== '')
  if (!known.includes(context)) throw new Error(unknownContext(context, known, making.env))
  const asked = kubectl.run('version', '--output=json', `--request-timeout=${ANSWERS_WITHIN}`)
  const version = await asked.catch((error: Error) => {
    throw new Error(
      `the cluster of context ${context} does not answer: ${lastLine(error)}\n` +
        `kubectl --context ${context} cluster-info has to work first`,
    )
  })
  const { serverVersion } = JSON.parse(version) as { serverVersion: { gitVersion: string } }
  return { kubectl, kubernetes: serverVersion.gitVersion }
}

export function unknownContext(context: string, known: string[], { KUBECONFIG }: NodeJS.ProcessEnv): string {
  const file = KUBECONFIG || '~/.kube/config'
  if (known.length === 0) return `there is no context at all in ${file}: KUBECONFIG names another file`
  return [`there is no context ${context} in ${file}, but:`, ...known.map((name) => `  ${name}`)].join('\n')
}
