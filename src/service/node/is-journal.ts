/** Whether an open file is the system's journal, as systemd says of the streams of what it starts (JOURNAL_STREAM). */
export function isJournal(descriptor: number, stream: string | undefined): boolean {
  if (stream === undefined) return false
  try {
    const { dev, ino } = process.getBuiltinModule('node:fs').fstatSync(descriptor, { bigint: true })
    return stream === `${dev}:${ino}`
  } catch {
    return false
  }
}
