import { isReady, type Kubectl, type Workload } from '../kubectl.ts'

/** Workloads of a namespace that have not all their pods, and what the pods say; of these names, or of all. */
export async function unreadyIn(kubectl: Kubectl, namespace: string, names?: string[]): Promise<string[]> {
  const [workloads, pods] = await Promise.all([
    kubectl.get<{ items: Workload[] }>('deployments,statefulsets', `--namespace=${namespace}`),
    kubectl.get<{ items: Pod[] }>('pods', `--namespace=${namespace}`),
  ])
  const unready = workloads.items
    .filter(({ metadata }) => names === undefined || names.includes(metadata.name))
    .filter((workload) => !isReady(workload))
    .map(({ metadata }) => metadata.name)
  return unready.length === 0 ? [] : [...troublesOf(pods.items), ...unready]
}

type ContainerStatus = { image: string; state?: { waiting?: { reason?: string } } }
export type Pod = { status: { containerStatuses?: ContainerStatus[] } }

/** What will not mend itself by waiting: an image that cannot be had, a container that ends again and again. */
export function troublesOf(pods: Pod[]): string[] {
  const troubles = pods.flatMap(({ status }) =>
    (status.containerStatuses ?? []).flatMap(({ image, state }) => {
      const reason = state?.waiting?.reason ?? ''
      return /^Err|BackOff|^Invalid/.test(reason) ? `${image} (${reason})` : []
    }),
  )
  return [...new Set(troubles)]
}
