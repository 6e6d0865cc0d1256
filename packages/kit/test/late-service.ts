import { once } from 'node:events'
import { createServer } from 'node:http'
import { listenAt } from '../src/early-port.ts'

/** A service that is not there until it is told to. */
await once(process, 'message')
const server = createServer((_request, response) => response.end('served'))
await listenAt(server, Number(process.env['PORT']))
process.once('message', () => {
  server.close(() => process.disconnect())
  server.closeAllConnections()
})
process.send?.('listening')
