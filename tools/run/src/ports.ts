import { createServer } from 'node:net'
import type { Ports } from './dapr-yaml.ts'

/** From here on the kernel hands out ports for outgoing connections: a server there starts only by luck. */
const PORT_LIMIT = 32_768

/** Distance between the ports of one replica and the next; dapr.yaml gives each app its own number within it. */
const REPLICA_STRIDE = 100

export type Need = { port: number; who: string }

/** A port that this shop needs and cannot have. Nothing was started. */
export class PortTaken extends Error {
  override name = 'PortTaken'
  readonly port: number

  constructor(need: Need) {
    super(
      `port ${need.port} is needed by ${need.who}, but another program listens there. ` +
        'Stop that program, or start the shop beside it: pnpm start --port-offset 1000',
    )
    this.port = need.port
  }
}

/** The ports of an app's k-th replica, k from 0: `base + k × 100`, so that one can guess them. */
export function replicaPorts(base: Ports, offset: number, k: number): Ports {
  const distance = offset + k * REPLICA_STRIDE
  return {
    appPort: base.appPort + distance,
    daprHttpPort: base.daprHttpPort + distance,
    daprGrpcPort: base.daprGrpcPort + distance,
    daprInternalGrpcPort: base.daprInternalGrpcPort + distance,
    metricsPort: base.metricsPort + distance,
  }
}

export function needsOf(appId: string, ports: Ports): Need[] {
  return [
    { port: ports.appPort, who: appId },
    { port: ports.daprHttpPort, who: `the sidecar of ${appId} (HTTP)` },
    { port: ports.daprGrpcPort, who: `the sidecar of ${appId} (gRPC)` },
    { port: ports.daprInternalGrpcPort, who: `the sidecar of ${appId} (from other sidecars)` },
    { port: ports.metricsPort, who: `the sidecar of ${appId} (metrics)` },
  ]
}

/** Throws for the first port that is out of range, wanted twice or taken. */
export async function demandFree(needs: Need[]): Promise<void> {
  const wanted = new Map<number, string>()
  for (const { port, who } of needs) {
    if (port < 1 || port >= PORT_LIMIT) {
      throw new RangeError(`port ${port} of ${who} is not below ${PORT_LIMIT}: choose a smaller port offset`)
    }
    const other = wanted.get(port)
    if (other) throw new RangeError(`port ${port} is wanted twice: by ${other} and by ${who}`)
    wanted.set(port, who)
  }
  const taken = await firstTaken(needs)
  if (taken) throw new PortTaken(taken)
}

export async function firstTaken(needs: Need[]): Promise<Need | undefined> {
  const free = await Promise.all(needs.map((need) => isFree(need.port)))
  return needs.find((_, index) => !free[index])
}

/** Both addresses, because macOS lets one program take the loopback port that another has for all addresses. */
async function isFree(port: number): Promise<boolean> {
  return (await canListen(port, '127.0.0.1')) && (await canListen(port, '0.0.0.0'))
}

function canListen(port: number, host: string): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(port, host, () => server.close(() => resolve(true)))
  })
}
