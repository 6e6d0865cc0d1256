import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { options, type Parts, settingsFile } from './control-plane.ts'
import { startDaemon } from './daemon.ts'
import { importImages } from './image-archive.ts'
import type { Image } from './images.ts'
import { DNS_SERVICE, NODE, NODE_NAME, type Place, POD_SUBNET, READY_WITHIN_MS } from './place.ts'
import { PAUSE_IMAGE } from './platform-images.ts'
import { until } from './until.ts'
import { writeIn } from './write-in.ts'

/** Within the namespace's own /run, because a path to a socket may have 108 characters, and a cache may lie deep. */
const CONTAINERD = '/run/containerd.sock'

export async function startContainerd(place: Place, cni: string): Promise<void> {
  writeIn(place, 'cni/10-bridge.conflist', JSON.stringify(podNetwork(place)))
  const config = writeIn(place, 'containerd.toml', containerdConfig(place, cni))
  const asked = () =>
    promisify(execFile)('ctr', ['--address', CONTAINERD, 'version']).then(
      () => true,
      () => false,
    )
  await startDaemon(
    {
      name: 'containerd',
      command: 'containerd',
      args: ['--config', config],
      isReady: asked,
      readyWithinMs: READY_WITHIN_MS,
    },
    place,
  )
}

/**
 * Unpacked too, so that the first pod does not wait for it. From within the cluster's namespaces, or from outside with the command
 * that leads into them.
 */
export function giveImages(images: Image[], enter: string[] = []): Promise<void> {
  const imported = ['--address', CONTAINERD, '--namespace', 'k8s.io', 'images', 'import', '-']
  return importImages(images, [...enter, 'ctr', ...imported])
}

/** The kubelet and the translation of Services' addresses; resolves when pods can be placed here. */
export async function startNode({ place, kubelite, kubectl, certificates }: Parts): Promise<void> {
  const kubelet = {
    config: settingsFile(place, 'kubelet.yaml', kubeletSettings(place, certificates.server)),
    kubeconfig: place.kubeconfig,
    'root-dir': place.file('kubelet'),
    'cert-dir': place.file('kubelet/pki'),
    'hostname-override': NODE_NAME,
    'node-ip': NODE,
  }
  const proxy = { config: settingsFile(place, 'kube-proxy.yaml', proxySettings(place)) }
  const started = { isReady: async () => true, readyWithinMs: READY_WITHIN_MS, command: kubelite }
  await Promise.all([
    startDaemon({ ...started, name: 'kubelet', args: ['kubelet', ...options(kubelet)] }, place),
    startDaemon({ ...started, name: 'kube-proxy', args: ['kube-proxy', ...options(proxy)] }, place),
  ])
  await until('a node that is ready', READY_WITHIN_MS, async () => {
    type Node = { status: { conditions: { type: string; status: string }[] } }
    const node = await kubectl.get<Node>('node', NODE_NAME).catch(() => null)
    return node?.status.conditions.some(({ type, status }) => type === 'Ready' && status === 'True') ?? false
  })
}

function containerdConfig(place: Place, cni: string): string {
  return `version = 2
root = "${place.file('containerd')}"
state = "/run/containerd"
oom_score = 0
disabled_plugins = ["io.containerd.internal.v1.opt"]
[grpc]
  address = "${CONTAINERD}"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "${PAUSE_IMAGE}"
  # Some machines' root may not lower it.
  restrict_oom_score_adj = true
  disable_apparmor = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "${cni}"
    conf_dir = "${place.file('cni')}"
  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
      SystemdCgroup = false
`
}

function podNetwork(place: Place) {
  const addresses = {
    type: 'host-local',
    dataDir: place.file('addresses'),
    ranges: [[{ subnet: POD_SUBNET }]],
    routes: [{ dst: '0.0.0.0/0' }],
  }
  const bridge = { type: 'bridge', bridge: 'pods0', isGateway: true, ipMasq: false, hairpinMode: true }
  return {
    cniVersion: '1.0.0',
    name: 'pods',
    plugins: [{ ...bridge, ipam: addresses }],
  }
}

function kubeletSettings(place: Place, server: { certificate: string; key: string }) {
  return {
    apiVersion: 'kubelet.config.k8s.io/v1beta1',
    kind: 'KubeletConfiguration',
    address: NODE,
    port: 10_250,
    readOnlyPort: 0,
    // Nobody reaches it but what is in the namespace.
    authentication: { anonymous: { enabled: true }, webhook: { enabled: false } },
    authorization: { mode: 'AlwaysAllow' },
    containerRuntimeEndpoint: `unix://${CONTAINERD}`,
    cgroupDriver: 'cgroupfs',
    cgroupRoot: '/',
    enforceNodeAllocatable: [],
    failCgroupV1: false,
    failSwapOn: false,
    oomScoreAdj: 0,
    maxPods: 250,
    // The disk is the machine's own: how full it is, is not for a cluster of an hour to judge.
    localStorageCapacityIsolation: false,
    imageGCHighThresholdPercent: 100,
    evictionHard: {
      'imagefs.available': '0%',
      'nodefs.available': '0%',
      'nodefs.inodesFree': '0%',
      'memory.available': '1Mi',
    },
    clusterDomain: 'cluster.local',
    clusterDNS: [DNS_SERVICE],
    resolvConf: '',
    nodeStatusUpdateFrequency: '5s',
    syncFrequency: '10s',
    // A wave of new pods should not wait in the kubelet's queue.
    registryPullQPS: 0,
    kubeAPIQPS: 200,
    kubeAPIBurst: 400,
    tlsCertFile: server.certificate,
    tlsPrivateKeyFile: server.key,
    podLogsDir: place.file('pod-logs'),
  }
}

function proxySettings(place: Place) {
  return {
    apiVersion: 'kubeproxy.config.k8s.io/v1alpha1',
    kind: 'KubeProxyConfiguration',
    bindAddress: '127.0.0.1',
    healthzBindAddress: '127.0.0.1:10256',
    metricsBindAddress: '127.0.0.1:10249',
    mode: 'iptables',
    clusterCIDR: POD_SUBNET,
    hostnameOverride: NODE_NAME,
    // The machine's limits are not its to set.
    conntrack: { maxPerCore: 0, min: 0, tcpEstablishedTimeout: '0s', tcpCloseWaitTimeout: '0s' },
    clientConnection: { kubeconfig: place.kubeconfig },
    iptables: { minSyncPeriod: '100ms', syncPeriod: '10s' },
  }
}
