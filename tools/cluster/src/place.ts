import { join } from 'node:path'
import { cacheRoot } from '@tideshop/runtime/cache'

/*
 * Where everything of a cluster is. The addresses are of its own network, which nobody sees from outside; the ports of
 * this machine that lead into it lie below 32768, where the kernel begins to hand out ports for outgoing connections.
 */

/** The first node's address; what runs beside Kubernetes (Kafka, the database, RabbitMQ, Prometheus) listens there too. */
export const NODE = '10.88.0.1'
/** Of the pods of all nodes. */
export const POD_SUBNET = '10.88.16.0/20'
export const SERVICE_SUBNET = '10.96.0.0/16'
export const API_SERVICE = '10.96.0.1'
export const DNS_SERVICE = '10.96.0.10'
/** Of the front door; overlays/local gives it this address, so that it is known before it is there. */
export const DOOR_SERVICE = '10.96.0.80'
/** Of the issuer, the same. */
export const ISSUER_SERVICE = '10.96.0.92'

export const API_PORT = 26_443
export const KAFKA_PORT = 9092
export const MONGODB_PORT = 27_017
export const RABBITMQ_PORT = 5672
export const PROMETHEUS_PORT = 9090
export const ISSUER_PORT = 8092

/** What leads from 127.0.0.1 of this machine into the cluster. */
export const DOOR_PORT = 28_080
export const DOOR = `http://127.0.0.1:${DOOR_PORT}`
export const PROMETHEUS_DOOR_PORT = 26_790
export const MONGODB_DOOR_PORT = 26_717
export const RABBITMQ_DOOR_PORT = 26_672
export const ISSUER_DOOR_PORT = 28_092

/** The namespace of the shop. */
export const NAMESPACE = 'tideshop'

/** Longer than any wait of a healthy start on two busy cores. */
export const READY_WITHIN_MS = 120_000

/**
 * A kubelet with a container runtime and a network for its pods. All are in the namespaces of the one cluster, and what is a folder of the
 * machine (hostPath) is the same folder on each.
 */
export type Node = {
  name: string
  address: string
  podSubnet: string
  /** Leads to its pods. */
  bridge: string
  /** Control group of all its pods. A kubelet ends every pod beneath that it does not know, so that two cannot share one. */
  group: string
}
export const FIRST_NODE: Node = {
  name: 'node-0',
  address: NODE,
  podSubnet: '10.88.16.0/22',
  bridge: 'pods0',
  group: '/',
}
/** Added to a cluster that runs. */
export const SECOND_NODE: Node = {
  name: 'node-1',
  address: '10.88.0.2',
  podSubnet: '10.88.20.0/22',
  bridge: 'pods1',
  group: '/tideshop-node-1',
}

export type Place = ReturnType<typeof placeOf>

export function placeOf(env: NodeJS.ProcessEnv) {
  const folder = join(cacheRoot(env), 'cluster')
  const file = (name: string) => join(folder, name)
  return {
    folder,
    record: file('record.json'),
    plan: file('plan.json'),
    logs: file('logs'),
    certificates: file('certificates'),
    kubeconfig: file('kubeconfig'),
    file,
  }
}
