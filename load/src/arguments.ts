import { type ParseArgsConfig, parseArgs } from 'node:util'

/** Nothing can be measured: the arguments are wrong, or there is no shop. Told as one sentence, without a stack. */
export class CannotRun extends Error {}

/** `parseArgs`, whose complaints are for whoever typed and not for a developer. */
export function readArguments<T extends ParseArgsConfig>(config: T): ReturnType<typeof parseArgs<T>> {
  try {
    return parseArgs(config)
  } catch (error) {
    throw new CannotRun(`${(error as Error).message.split('. ')[0]}; --help tells what there is`)
  }
}

/** A whole number from `min` to `max`; the upper end keeps a typing error from filling the memory. */
export function wholeNumber(option: string, typed: string, max: number, min = 1): number {
  const number = Number(typed)
  if (typed.trim() !== '' && Number.isInteger(number) && number >= min && number <= max) return number
  throw new CannotRun(`--${option} is a whole number from ${min} to ${max}, not "${typed}"`)
}

/** A part of the whole: 0 is none, 1 is all. */
export function share(option: string, typed: string): number {
  const number = Number(typed)
  if (typed.trim() !== '' && number >= 0 && number <= 1) return number
  throw new CannotRun(`--${option} is a number from 0 to 1, not "${typed}"`)
}
