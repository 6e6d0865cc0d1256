import { readFileSync } from 'node:fs'
import { answers } from '@tideshop/run/process'
import type { DaprTrust } from './certificates.ts'
import type { Parts } from './control-plane.ts'
import { settingsFile } from './control-plane.ts'
import { startDaemon } from './daemon.ts'
import type { Kubectl } from './kubectl.ts'
import type { Manifests } from './manifests.ts'
import { NAMESPACE, NODE, PROMETHEUS_PORT, READY_WITHIN_MS } from './place.ts'
import { until } from './until.ts'

const DAPR_NAMESPACE = 'dapr-system'
const KEDA_NAMESPACE = 'keda'
/** The app-id whose calls the scalers count. */
const DOOR_APP = 'apigateway'
const INJECTOR = 'dapr-sidecar-injector'

/** Dapr's control plane; resolves when a pod that is made gets its sidecar. */
export async function installDapr(
  kubectl: Kubectl,
  { daprDefinitions, dapr }: Manifests,
  trust: DaprTrust,
): Promise<void> {
  await kubectl.run('create', 'namespace', DAPR_NAMESPACE)
  await kubectl.given(trustBundle(trust), 'create')
  await kubectl.apply('--filename', daprDefinitions)
  await kubectl.apply('--filename', dapr)
  await kubectl.untilReady(DAPR_NAMESPACE, READY_WITHIN_MS)
  type Webhooks = { webhooks: { clientConfig: { caBundle?: string } }[] }
  await until('the injector’s certificate', READY_WITHIN_MS, async () => {
    const { webhooks } = await kubectl.get<Webhooks>('mutatingwebhookconfiguration', INJECTOR)
    return webhooks.every(({ clientConfig }) => Boolean(clientConfig.caBundle))
  })
}

/**
 * What sentry otherwise makes for itself when it starts. It then sees its own files change, three times within 17 s on two cores, starts again for
 * each while it says that it is ready, and the first sidecars, which ask just then, end with "failed to retrieve the initial identity".
 */
function trustBundle({ ca, issuer }: DaprTrust): object {
  const text = (file: string) => readFileSync(file, 'utf8')
  const trusted = { 'ca.crt': text(ca.certificate) }
  const issuing = { 'issuer.crt': text(issuer.certificate), 'issuer.key': text(issuer.key) }
  const metadata = { name: 'dapr-trust-bundle', namespace: DAPR_NAMESPACE }
  const one = { apiVersion: 'v1', metadata }
  return {
    apiVersion: 'v1',
    kind: 'List',
    items: [
      { ...one, kind: 'Secret', stringData: { ...trusted, ...issuing } },
      { ...one, kind: 'ConfigMap', data: trusted },
    ],
  }
}

/** KEDA's operator and its adapter; resolves when the API server serves its metrics. */
export async function installKeda(kubectl: Kubectl, { keda }: Manifests): Promise<void> {
  await kubectl.apply('--filename', keda)
  await kubectl.untilReady(KEDA_NAMESPACE, READY_WITHIN_MS)
  await until('KEDA’s metrics', READY_WITHIN_MS, () =>
    kubectl.answers('/apis/external.metrics.k8s.io/v1beta1'),
  )
}

/** What tells the autoscaler of processor time; resolves when it can be asked. Values come 20 s later. */
export async function installMetricsServer(kubectl: Kubectl, { metricsServer }: Manifests): Promise<void> {
  await kubectl.apply('--filename', metricsServer)
  await until('the metrics of pods', READY_WITHIN_MS, () => kubectl.answers('/apis/metrics.k8s.io/v1beta1'))
}

/** Beside the cluster and not in it: it then needs no rights, and stays when the node is full. */
export async function startPrometheus({ place }: Parts, command: string): Promise<void> {
  const config = settingsFile(place, 'prometheus.yaml', prometheusSettings(place.kubeconfig))
  const args = {
    'config.file': config,
    'storage.tsdb.path': place.file('prometheus'),
    'web.listen-address': `${NODE}:${PROMETHEUS_PORT}`,
    'log.level': 'warn',
  }
  await startDaemon(
    {
      name: 'prometheus',
      command,
      args: Object.entries(args).map(([name, value]) => `--${name}=${value}`),
      isReady: () => answers(`http://${NODE}:${PROMETHEUS_PORT}/-/ready`, 200),
      readyWithinMs: READY_WITHIN_MS,
    },
    place,
  )
}

function prometheusSettings(kubeconfig: string) {
  const discovery = { role: 'pod', kubeconfig_file: kubeconfig, namespaces: { names: [NAMESPACE] } }
  return {
    scrape_configs: [
      // As often as KEDA looks. Not more often, since a timeout is no longer than its interval: doors that had no processor for a quarter of a
      // second were not seen, and KEDA had no value.
      { job_name: 'doors', ...sidecarsOf(discovery, 'keep'), scrape_interval: '1s', scrape_timeout: '1s' },
      { job_name: 'others', ...sidecarsOf(discovery, 'drop'), scrape_interval: '5s', scrape_timeout: '5s' },
    ],
  }
}

/** The doors' sidecars, or all but theirs. */
function sidecarsOf(discovery: object, doors: 'keep' | 'drop') {
  const port = { source_labels: ['__meta_kubernetes_pod_container_port_name'], regex: 'dapr-metrics' }
  return {
    kubernetes_sd_configs: [discovery],
    relabel_configs: [
      { ...port, action: 'keep' },
      { source_labels: ['__meta_kubernetes_pod_phase'], regex: 'Running', action: 'keep' },
      { source_labels: ['__meta_kubernetes_pod_label_app'], regex: DOOR_APP, action: doors },
      { source_labels: ['__meta_kubernetes_pod_name'], target_label: 'pod' },
    ],
  }
}
