import type { Trail } from '../books.ts'

/** What a check has found, before the rest of its path is looked up. */

export type Kind =
  /** Promised, and not there. */
  | 'lost'
  /** Done twice. */
  | 'doubled'
  /** There, but not ended. */
  | 'stuck'
  /** Ended as it should not have. */
  | 'wrong'
  /** Refused, and nevertheless there. */
  | 'trace'
  /** There, and nothing is known that could have brought it about. */
  | 'causeless'
  /** A version that is missing before one that is there. */
  | 'gap'
  /** The same event with two contents, or a record that is no event. */
  | 'changed'
  /** Still waits in an outbox. */
  | 'untold'
  /** A dead letter that nobody poisoned, or poison that is not among the dead letters. */
  | 'dead'

export type Finding = { kind: Kind; what: string; of: Trail }
