const TERMINAL_EVERY_MS = 250
/** A log that nobody watches needs fewer lines than a terminal that is overwritten. */
const LOG_EVERY_MS = 5_000

/** Shows `line()` on stderr until disposed, so that stdout holds the report alone. */
export function showProgress(line: () => string): Disposable {
  const terminal = process.stderr.isTTY
  const show = () => {
    process.stderr.write(
      terminal ? `\r\u001b[K${line().slice(0, process.stderr.columns - 1)}` : `${line()}\n`,
    )
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
