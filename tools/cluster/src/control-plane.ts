import { stringify } from 'yaml'
import { type Certificates, kubeconfig } from './certificates.ts'
import { type Daemon, startDaemon } from './daemon.ts'
import type { Kubectl } from './kubectl.ts'
import { API_PORT, NODE, type Place, READY_WITHIN_MS, SERVICE_SUBNET } from './place.ts'
import { until } from './until.ts'
import { writeIn } from './write-in.ts'

const ETCD = 'http://127.0.0.1:22379'
const ETCD_PEERS = 'http://127.0.0.1:22380'

export type Parts = { place: Place; kubelite: string; kubectl: Kubectl; certificates: Certificates }

/** etcd and the API server. */
export async function startApi({ place, kubelite, kubectl, certificates }: Parts): Promise<void> {
  writeIn(place, 'kubeconfig', kubeconfig(certificates))
  const etcd = startDaemon(etcdDaemon(place, kubelite), place)
  const api = startDaemon(
    {
      name: 'kube-apiserver',
      command: kubelite,
      args: ['kube-apiserver', ...options(apiOptions(certificates))],
      isReady: () => kubectl.answers('/readyz'),
      readyWithinMs: READY_WITHIN_MS,
    },
    place,
  )
  await Promise.all([etcd, api])
}

/** What acts on the objects that the API server keeps. */
export async function startControllers({ place, kubelite, certificates }: Parts): Promise<void> {
  const { ca, serviceAccounts } = certificates
  const common = {
    kubeconfig: place.kubeconfig,
    'authentication-kubeconfig': place.kubeconfig,
    'authorization-kubeconfig': place.kubeconfig,
    'leader-elect': false,
    'bind-address': '127.0.0.1',
  }
  const controllers = {
    ...common,
    'secure-port': 26_257,
    'service-account-private-key-file': serviceAccounts.privateKey,
    'root-ca-file': ca.certificate,
    // Each controller with its own rights: otherwise the autoscaler's right to read KEDA's metrics would not be proven.
    'use-service-account-credentials': true,
    'cluster-signing-cert-file': ca.certificate,
    'cluster-signing-key-file': ca.key,
    // 15 s by default, which is most of what a caller would wait for the next replica.
    'horizontal-pod-autoscaler-sync-period': '2s',
  }
  const started = { isReady: async () => true, readyWithinMs: READY_WITHIN_MS, command: kubelite }
  await Promise.all([
    startDaemon(
      {
        ...started,
        name: 'kube-controller-manager',
        args: ['kube-controller-manager', ...options(controllers)],
      },
      place,
    ),
    startDaemon(
      {
        ...started,
        name: 'kube-scheduler',
        args: ['kube-scheduler', ...options({ ...common, 'secure-port': 26_259 })],
      },
      place,
    ),
  ])
}

/** CoreDNS, and all that its pods need before they can be made: accounts and the first controllers. */
export async function startDns({ kubectl }: Parts, manifest: string): Promise<void> {
  const hasAccounts = () =>
    kubectl.run('get', 'serviceaccount', 'default', '--namespace=kube-system').then(
      () => true,
      () => false,
    )
  await until('the first service account', READY_WITHIN_MS, hasAccounts)
  await kubectl.apply('--filename', manifest)
  await kubectl.untilReady('kube-system', READY_WITHIN_MS)
}

function etcdDaemon(place: Place, kubelite: string): Daemon {
  const settings = {
    'data-dir': place.file('etcd'),
    'listen-client-urls': ETCD,
    'advertise-client-urls': ETCD,
    'listen-peer-urls': ETCD_PEERS,
    'initial-advertise-peer-urls': ETCD_PEERS,
    'initial-cluster': `default=${ETCD_PEERS}`,
    // The cluster does not outlive its processes, so there is nothing that a power cut could take.
    'unsafe-no-fsync': true,
    'log-level': 'error',
  }
  return {
    name: 'etcd',
    command: kubelite,
    args: ['etcd', ...options(settings)],
    // The API server, which is started beside it, waits for it.
    isReady: async () => true,
    readyWithinMs: READY_WITHIN_MS,
  }
}

function apiOptions({ ca, frontProxyCa, frontProxyClient, server, admin, serviceAccounts }: Certificates) {
  return {
    'etcd-servers': ETCD,
    // All addresses, and advertised with the node's: pods reach it as Service "kubernetes".
    'bind-address': '0.0.0.0',
    'secure-port': API_PORT,
    'advertise-address': NODE,
    'service-cluster-ip-range': SERVICE_SUBNET,
    'tls-cert-file': server.certificate,
    'tls-private-key-file': server.key,
    'client-ca-file': ca.certificate,
    'service-account-key-file': serviceAccounts.publicKey,
    'service-account-signing-key-file': serviceAccounts.privateKey,
    'service-account-issuer': 'https://kubernetes.default.svc.cluster.local',
    'requestheader-client-ca-file': frontProxyCa.certificate,
    'requestheader-allowed-names': 'front-proxy-client',
    'requestheader-username-headers': 'X-Remote-User',
    'requestheader-group-headers': 'X-Remote-Group',
    'requestheader-extra-headers-prefix': 'X-Remote-Extra-',
    'proxy-client-cert-file': frontProxyClient.certificate,
    'proxy-client-key-file': frontProxyClient.key,
    'authorization-mode': 'Node,RBAC',
    'kubelet-client-certificate': admin.certificate,
    'kubelet-client-key': admin.key,
    // By the node's name, the default, nobody finds it: logs and exec would hang.
    'kubelet-preferred-address-types': 'InternalIP',
    profiling: false,
  }
}

/** As every program of Kubernetes takes them. */
export function options(settings: Record<string, string | number | boolean>): string[] {
  return Object.entries(settings).map(([name, value]) => `--${name}=${value}`)
}

/** A file of settings, as a program of Kubernetes reads it. */
export function settingsFile(place: Place, name: string, content: object): string {
  return writeIn(place, name, stringify(content))
}
