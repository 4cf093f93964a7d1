import { type Finding, type LintRule, nothing } from './finding.js'

const digits = /^[0-9]+$/

/** `colo-port` is read by atoi: libxl takes `-1`, `70000` and `12abc`. */
export const coloPort: LintRule = context => {
  const { coloPort: port } = context.disk
  if (port === 0) return nothing
  const { coloPort: text = '' } = context.reader
  const junk = !digits.test(text)
  const wanted = junk ? port : Number(text)
  if (!junk && wanted >= 1 && wanted <= 65535) return nothing
  const at = context.valueSpan('coloPort')
  const findings: Finding[] = []
  if (junk) {
    const message = `colo-port is read as ${port}, what else it holds is dropped`
    findings.push({ code: 'colo-port-junk', field: 'coloPort', message, at, hint: 'write digits only' })
  }
  if (wanted < 1 || wanted > 65535) {
    findings.push({
      code: 'colo-port-range',
      field: 'coloPort',
      message: wanted === port ? `there is no port ${port}` : `there is no port ${text}: libxl takes it for ${port}`,
      at,
      hint: 'a port is from 1 to 65535',
    })
  }
  return findings
}
