import { countTests } from './count-tests.mjs'

/**
 * A line for each golden: how many cases of it are equal, or which test files found otherwise. A test says in a comment
 * what it reads; one that failed speaks of the golden that its title names, or else of all that its file reads.
 */
export function goldenReport(goldens, results) {
  const lines = []
  let unequal = 0
  for (const golden of goldens) {
    const read = new RegExp(`^# ${golden.replaceAll('.', '\\.')}: (\\d+) cases$`, 'm')
    const readers = results.filter(({ tap }) => read.test(tap))
    const failed = readers.filter(({ tap }) => speaksAgainst(tap, golden)).map(({ file }) => file)
    if (readers.length === 0) failed.push('no test reads it')
    const cases = readers.length === 0 ? 0 : read.exec(readers[0].tap)[1]
    lines.push(`${golden}: ${failed.length === 0 ? `${cases} equal` : `NOT EQUAL (${failed.join(', ')})`}`)
    if (failed.length > 0) unequal++
  }
  return { lines, unequal }
}

function speaksAgainst(tap, golden) {
  const { passed, failed } = countTests(tap)
  const titles = [...tap.matchAll(/^not ok \d+ - (.*)$/gm)].map(([, title]) => title)
  if (titles.length === 0) return passed === 0 || failed > 0
  return titles.some(title => title.includes(golden) || !title.includes('golden/'))
}
