import { once } from 'node:events'
import { createServer } from 'node:http'

/** As `operations` answers the door. */
const operation = {
  uuid: '019a0000-0000-7000-8000-000000000000',
  type: 'user-create',
  state: 'pending',
  data: { name: 'hans' },
  response: { state: 'pending' },
}

/**
 * What an app that is started alone finds where its sidecar would be: everything that it publishes arrives, and every
 * call is answered. Then the time until its first answer is its own.
 */
export async function stubSidecar(port: number): Promise<AsyncDisposable> {
  const server = createServer((request, response) => {
    request.resume()
    const isInvocation = request.url?.startsWith('/v1.0/invoke/') === true
    response.writeHead(isInvocation ? 200 : 204, { 'content-type': 'application/json' })
    response.end(isInvocation ? JSON.stringify({ answers: [{ operation }] }) : undefined)
  })
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  return {
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}
