import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { type Pair, serverIn } from './certificates.ts'
import { options, type Parts, settingsFile } from './control-plane.ts'
import { type CommandLine, startDaemon } from './daemon.ts'
import { importImages } from './image-archive.ts'
import type { Image } from './images.ts'
import type { Kubectl } from './kubectl.ts'
import { DNS_SERVICE, FIRST_NODE, type Node, type Place, POD_SUBNET, READY_WITHIN_MS } from './place.ts'
import { PAUSE_IMAGE } from './platform-images.ts'
import { until } from './until.ts'
import { writeIn } from './write-in.ts'

/** What a node calls its own: the first has the plain names. */
export function ownName({ name }: Node, what: string): string {
  return name === FIRST_NODE.name ? what : `${what}-${name}`
}

/** Of containerd. Within the namespace's own /run, because a path to a socket may have 108 characters, and a cache may lie deep. */
export function socketOf(node: Node): string {
  return `/run/${ownName(node, 'containerd')}.sock`
}

export async function startContainerd(place: Place, cni: string): Promise<void> {
  const asked = () =>
    promisify(execFile)('ctr', ['--address', socketOf(FIRST_NODE), 'version']).then(
      () => true,
      () => false,
    )
  const line = containerdAt(place, cni, FIRST_NODE)
  await startDaemon({ name: 'containerd', ...line, isReady: asked, readyWithinMs: READY_WITHIN_MS }, place)
}

/** What starts a node's containerd, with its settings written. */
export function containerdAt(place: Place, cni: string, node: Node): CommandLine {
  const networks = ownName(node, 'cni')
  writeIn(place, `${networks}/10-bridge.conflist`, JSON.stringify(podNetwork(place, node)))
  const config = writeIn(place, `${ownName(node, 'containerd')}.toml`, containerdConfig(place, cni, node))
  return { command: 'containerd', args: ['--config', config] }
}

/**
 * Unpacked too, so that the first pod does not wait for it. From within the cluster's namespaces, or from outside with the command
 * that leads into them.
 */
export function giveImages(images: Image[], enter: string[] = [], node = FIRST_NODE): Promise<void> {
  const imported = ['--address', socketOf(node), '--namespace', 'k8s.io', 'images', 'import', '-']
  return importImages(images, [...enter, 'ctr', ...imported])
}

/** The kubelet and the translation of Services' addresses; resolves when pods can be placed here. */
export async function startNode({ place, kubelite, kubectl }: Parts): Promise<void> {
  const proxy = { config: settingsFile(place, 'kube-proxy.yaml', proxySettings(place)) }
  const started = { isReady: async () => true, readyWithinMs: READY_WITHIN_MS }
  const proxyLine = { command: kubelite, args: ['kube-proxy', ...options(proxy)] }
  await Promise.all([
    startDaemon({ ...started, name: 'kubelet', ...kubeletAt(place, kubelite, FIRST_NODE) }, place),
    startDaemon({ ...started, name: 'kube-proxy', ...proxyLine }, place),
  ])
  await untilNodeReady(kubectl, FIRST_NODE)
}

/** What starts a node's kubelet, with its settings written. */
export function kubeletAt(place: Place, kubelite: string, node: Node): CommandLine {
  const name = ownName(node, 'kubelet')
  const server = serverIn(place.certificates)
  const settings = {
    config: settingsFile(place, `${name}.yaml`, kubeletSettings(place, server, node)),
    kubeconfig: place.kubeconfig,
    'root-dir': place.file(name),
    'cert-dir': place.file(`${name}/pki`),
    'hostname-override': node.name,
    'node-ip': node.address,
  }
  return { command: kubelite, args: ['kubelet', ...options(settings)] }
}

export async function untilNodeReady(kubectl: Kubectl, node: Node): Promise<void> {
  const asked = () => isNodeReady(kubectl, node).catch(() => false)
  await until(`${node.name}, ready`, READY_WITHIN_MS, asked)
}

/** Not where there is none, or it has said nothing for some time. */
export async function isNodeReady(kubectl: Kubectl, { name }: Node): Promise<boolean> {
  const condition = '--output=jsonpath={.status.conditions[?(@.type=="Ready")].status}'
  return (await kubectl.run('get', 'node', name, '--ignore-not-found', condition)) === 'True'
}

function containerdConfig(place: Place, cni: string, node: Node): string {
  const name = ownName(node, 'containerd')
  return `version = 2
root = "${place.file(name)}"
state = "/run/${name}"
oom_score = 0
disabled_plugins = ["io.containerd.internal.v1.opt"]
[grpc]
  address = "${socketOf(node)}"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "${PAUSE_IMAGE}"
  # Some machines' root may not lower it.
  restrict_oom_score_adj = true
  disable_apparmor = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "${cni}"
    conf_dir = "${place.file(ownName(node, 'cni'))}"
  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
      SystemdCgroup = false
`
}

function podNetwork(place: Place, node: Node) {
  const addresses = {
    type: 'host-local',
    dataDir: place.file(ownName(node, 'addresses')),
    ranges: [[{ subnet: node.podSubnet }]],
    routes: [{ dst: '0.0.0.0/0' }],
  }
  const bridge = { type: 'bridge', bridge: node.bridge, isGateway: true, ipMasq: false, hairpinMode: true }
  return {
    cniVersion: '1.0.0',
    name: 'pods',
    plugins: [{ ...bridge, ipam: addresses }],
  }
}

function kubeletSettings(place: Place, server: Pair, node: Node) {
  return {
    apiVersion: 'kubelet.config.k8s.io/v1beta1',
    kind: 'KubeletConfiguration',
    address: node.address,
    port: 10_250,
    // It would be the same port of 127.0.0.1 for each, and nobody asks there.
    healthzPort: 0,
    readOnlyPort: 0,
    // Nobody reaches it but what is in the namespace.
    authentication: { anonymous: { enabled: true }, webhook: { enabled: false } },
    authorization: { mode: 'AlwaysAllow' },
    containerRuntimeEndpoint: `unix://${socketOf(node)}`,
    cgroupDriver: 'cgroupfs',
    cgroupRoot: node.group,
    enforceNodeAllocatable: [],
    failCgroupV1: false,
    failSwapOn: false,
    // KEDA's pod sets it (manifests/keda).
    allowedUnsafeSysctls: ['net.ipv4.tcp_retries2'],
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
    podLogsDir: place.file(ownName(node, 'pod-logs')),
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
    hostnameOverride: FIRST_NODE.name,
    // The machine's limits are not its to set.
    conntrack: { maxPerCore: 0, min: 0, tcpEstablishedTimeout: '0s', tcpCloseWaitTimeout: '0s' },
    clientConnection: { kubeconfig: place.kubeconfig },
    iptables: { minSyncPeriod: '100ms', syncPeriod: '10s' },
  }
}
