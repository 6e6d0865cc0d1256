const TERMINAL_EVERY_MS = 250
/** A log that nobody watches needs fewer lines than a terminal that is overwritten. */
const LOG_EVERY_MS = 5_000
const COLUMNS = 80

/** Shows `line()` on stderr until disposed, so that stdout holds the report alone. Empty: nothing to say yet. */
export function showProgress(line: () => string): Disposable {
  const terminal = process.stderr.isTTY
  const show = () => {
    const words = line()
    if (words === '') return
    // A terminal may not know how wide it is.
    const width = (process.stderr.columns || COLUMNS) - 1
    process.stderr.write(terminal ? `\r\u001b[K${words.slice(0, width)}` : `${words}\n`)
  }
  const timer = setInterval(show, terminal ? TERMINAL_EVERY_MS : LOG_EVERY_MS)
  return {
    [Symbol.dispose]() {
      clearInterval(timer)
      show()
      if (terminal) process.stderr.write('\n')
    },
  }
}
