export interface Diagnostic {
  severity: 'error' | 'warning'
  code: string
  message: string
  spec: string
  start: number
  end: number
  notes: { message: string; spec: string; start: number; end: number }[]
  hint?: string
}
