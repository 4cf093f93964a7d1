/** How much a line of a log matters: `error` needs help now, `warning` soon. */
export type LogLevel = 'error' | 'warning' | 'info'

/** syslog's numbers. */
const priorities: Record<LogLevel, number> = { error: 3, warning: 4, info: 6 }

/** Lines as the system's journal takes them: each with its priority in front, which the journal takes off. */
export const withPriority = (level: LogLevel, text: string): string =>
  text.replace(/^(?=.)/gm, `<${priorities[level]}>`)
