import { connect, type Server } from 'node:net'

/*
 * A process within the cluster's network, with listeners of the machine's network that `up` hands to it: a socket
 * belongs to the network in which it was made. So the cluster needs no device and no address outside of its own.
 */

export type Target = { host: string; port: number }

process.on('message', (target: Target, server: Server | undefined) => {
  server?.on('connection', (near) => {
    const far = connect(target.port, target.host)
    near.pipe(far).pipe(near)
    // Who hangs up on one side hangs up on the other.
    near.once('error', () => far.destroy())
    far.once('error', () => near.destroy())
  })
  process.send?.('taken')
})
