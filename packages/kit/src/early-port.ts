import { once } from 'node:events'
import { createServer, type Server, type Socket } from 'node:net'

/**
 * A port that is open before its service is there, `open-early.ts` by name. Who connects meanwhile is held, not refused: Kubernetes
 * asks once a second whether a container serves, and a pod that is refused just before it listens stands idle for another second
 * (docs/scaling.md).
 */

type EarlyPort = { server: Server; held: Socket[] }

let early: EarlyPort | null = null

/** Once in a process, before the service is loaded. */
export function openEarly(port: number): void {
  const held: Socket[] = []
  const server = createServer({ pauseOnConnect: true }, (socket) => held.push(socket)).listen(port)
  early = { server, held }
}

/** Resolves when `server` listens, at the early port if there is one, and has who was held there. By itself it listens everywhere. */
export async function listenAt(server: Server, port: number, host?: string): Promise<void> {
  if (early === null) server.listen(port, host)
  else server.listen(early.server)
  await once(server, 'listening')
  for (const socket of early?.held ?? []) {
    server.emit('connection', socket)
    socket.resume()
  }
  early = null
}
