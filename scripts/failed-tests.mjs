const most = { lines: 60, characters: 300 }

/**
 * What failed in one file's TAP, and what tap says of it, each line behind `FAILED`, so that a log that is cut elsewhere
 * still says it at its end. Without the source around it, which the line of the stack names.
 */
export function failedTests(file, tap) {
  const lines = []
  let outer
  let left
  for (const line of tap.split('\n')) {
    const indent = line.search(/\S/)
    if (/^ *not ok \d+/.test(line)) {
      outer = indent
      lines.push(line)
    } else if (outer === undefined || indent < 0) continue
    else if (indent <= outer) outer = undefined
    else if (/^ *(?:source|at):/.test(line)) left = indent
    else if (left === undefined || indent <= left) {
      left = undefined
      if (!/^ *(?:---|\.\.\.)$/.test(line)) lines.push(line)
    }
  }
  const died = !/^1\.\.[1-9]/m.test(tap)
  if (died) lines.push('it ended before its plan; its last lines:', ...tap.trimEnd().split('\n').slice(-15))
  const shown = lines.slice(0, most.lines).map(line => line.slice(0, most.characters))
  if (lines.length > shown.length) shown.push(`and ${lines.length - shown.length} lines more`)
  return shown.length === 0 ? [] : [file, ...shown].map(line => `FAILED ${line}`)
}

/** How long one file's tests took, in seconds, or undefined if it did not come to its end. */
export function secondsOf(tap) {
  const [, milliseconds] = /^# time=([\d.]+)ms$/m.exec(tap) ?? []
  return milliseconds === undefined ? undefined : Math.round(Number(milliseconds) / 1000)
}
