/** What can be done to a shop, and how it is called. */

/** A process to be hit: one of a replica's two, or a part of the backbone. `replica` counts from 0, the oldest. */
export type Target =
  | { part: 'app' | 'sidecar'; appId: string; replica: number }
  | { part: 'kafka' | 'mongodb' }

/** These last, and run beside what follows. */
export type LastingFault =
  /** kill -9, and left down for a while: who asks for it is refused. */
  | { kind: 'outage'; target: Target; forMs: number }
  /** SIGSTOP, and SIGCONT after a while: what comes back does not know that it was away. */
  | { kind: 'stall'; target: Target; forMs: number }
  /** Stopped for most of the time, in pulses: all that goes through it is slow. */
  | { kind: 'slow'; target: Target; forMs: number }

export type ProcessFault =
  | LastingFault
  /** kill -9, and started again at once, as Kubernetes would. */
  | { kind: 'kill'; target: Target }
  | { kind: 'scale-out'; appId: string }
  /** SIGTERM of the newest. */
  | { kind: 'scale-in'; appId: string }
  /** One replica more, and then SIGTERM of this older one, as a new version is rolled out. */
  | { kind: 'replace'; appId: string; replica: number }
  /** Its listener hears the topic again from the beginning, as an operator may want. */
  | { kind: 'replay'; topic: string; listener: string }

/** `place` is any number: it chooses the record that is taken. */
export type RecordFault =
  /** What can never be handled, made from a record. */
  | { kind: 'poison'; topic: string; poison: Poison; place: number }
  /** A record of the topic is put there again: a repeat, and a late one. */
  | { kind: 'duplicate'; topic: string; place: number }
  /** So many that follow each other in a partition are put there again, the last one first. */
  | { kind: 'reorder'; topic: string; place: number; count: number }

export type Fault = ProcessFault | RecordFault

export const poisons = [
  'not JSON',
  'wrong schema',
  'future version',
  'huge',
  'wrong encoding',
  'trace is no text',
  '0',
  '""',
  'false',
] as const
export type Poison = (typeof poisons)[number]

export function isOfRecords(fault: Fault): fault is RecordFault {
  return 'place' in fault
}

export function lasts(fault: Fault): fault is LastingFault {
  return 'forMs' in fault
}

/** `kill users, replica 2/daprd`: what is done to whom. */
export function inWords(fault: Fault): string {
  if (lasts(fault)) return `${fault.kind} ${nameOf(fault.target)} for ${fault.forMs} ms`
  switch (fault.kind) {
    case 'kill':
      return `kill ${nameOf(fault.target)}`
    case 'poison':
      return `poison ${fault.topic}: ${fault.poison}`
    case 'duplicate':
      return `duplicate in ${fault.topic}`
    case 'reorder':
      return `reorder ${fault.count} of ${fault.topic}`
    case 'replay':
      return `replay ${fault.topic}`
    default:
      return `${fault.kind} ${fault.appId}`
  }
}

export function nameOf(hit: Target): string {
  if (!('appId' in hit)) return hit.part
  const name = hit.replica === 0 ? hit.appId : `${hit.appId}, replica ${hit.replica + 1}`
  return hit.part === 'sidecar' ? `${name}/daprd` : name
}
