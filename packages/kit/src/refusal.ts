import { type ZodType, z } from 'zod'

/** Why a request cannot succeed as it stands. Each code maps to one HTTP status (http.ts). */
const refusalCode = z.enum([
  'invalid',
  /** Nobody knows who asks. */
  'unauthenticated',
  /** Whoever asks may not, or asks from where none of this kind may come from. */
  'forbidden',
  'not-found',
  'conflict',
  'too-large',
  'wrong-media-type',
  'key-reused',
  /** Asked too often: later it is another matter. */
  'too-many',
  /** Something we need is away and nothing was done: asking again later is safe. */
  'unavailable',
  /** Something broke half-way: it may or may not have been done. Only an idempotency key makes a repeat safe. */
  'uncertain',
])
export type RefusalCode = z.infer<typeof refusalCode>

/** A refusal on its way from one service to another. */
export const refusal = z.object({ code: refusalCode, message: z.string() })

/** One field that was wrong: `path` as in `data.name`, empty for the whole body. */
export type FieldError = { path: string; message: string }

/** The shop says no. Anything else that is thrown is a fault of ours. */
export class Refusal extends Error {
  override name = 'Refusal'
  readonly code: RefusalCode
  readonly errors: readonly FieldError[]

  constructor(code: RefusalCode, message: string, errors: readonly FieldError[] = []) {
    super(message)
    this.code = code
    this.errors = errors
  }
}

/** The refusal in the problem details with which another service answered (http.ts), or null when it is none. */
export function refusalOf(problem: object): Refusal | null {
  const { success, data } = problemDetails.safeParse(problem)
  return success ? new Refusal(data.title, data.detail) : null
}

const problemDetails = z.object({ title: refusalCode, detail: z.string() })

/**
 * Checks what came from outside and says where it is wrong: by its path, or by `name` for a value that stands alone.
 * A bad row in our own database is a fault, not a refusal.
 */
export function parse<T>(schema: ZodType<T>, value: unknown, name = ''): T {
  const { success, data, error } = schema.safeParse(value)
  if (success) return data
  const errors = error.issues.map(({ path, message }) => ({ path: z.core.toDotPath(path) || name, message }))
  throw new Refusal('invalid', errors.map(sentence).join('; '), errors)
}

function sentence({ path, message }: FieldError): string {
  return path === '' ? message : `${path}: ${message}`
}
