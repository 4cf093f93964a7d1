import { portProblem } from '../../libxl/colo-rules.js'
import { type Finding, type LintRule, nothing } from './finding.js'

const digits = /^[0-9]+$/

/** `colo-port` is read by atoi: libxl takes `-1`, `70000` and `12abc`. */
export const coloPort: LintRule = context => {
  const { coloPort: port } = context.disk
  if (port === 0) return nothing
  const { coloPort: text = '' } = context.reader
  const junk = !digits.test(text)
  const wanted = junk ? port : Number(text)
  const problem = portProblem(wanted, junk ? undefined : text)
  if (!junk && problem === undefined) return nothing
  const at = context.valueSpan('coloPort')
  const findings: Finding[] = []
  if (junk) {
    const message = `colo-port is read as ${port}, what else it holds is dropped`
    findings.push({ code: 'colo-port-junk', field: 'coloPort', message, at, hint: 'write digits only' })
  }
  if (problem !== undefined) {
    findings.push({
      code: 'colo-port-range',
      field: 'coloPort',
      message: wanted === port ? problem : `${problem}, which libxl takes for ${port}`,
      at,
      hint: 'write the port at which the secondary listens',
    })
  }
  return findings
}
