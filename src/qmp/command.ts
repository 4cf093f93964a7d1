/** The arguments of a command: what JSON can say. */
export type QmpArguments = Readonly<Record<string, unknown>>

/** What arguments a command takes: for the compiler alone. */
export interface Takes<Arguments extends QmpArguments | undefined> {
  readonly arguments?: Arguments
}

/** A command of QEMU's: its name in QEMU's schema, its arguments, and how its reply is read. */
export interface QmpCommand<Arguments extends QmpArguments | undefined = QmpArguments | undefined, Reply = unknown> {
  readonly name: string
  readonly takes: Takes<Arguments>
  /** Reads what QEMU returned. @throws UnexpectedReply */
  readonly reply: (value: unknown) => Reply
}

/** Says which arguments a command takes, `takes<{ id: string }>()`; without a type, that it takes none. */
export const takes = <Arguments extends QmpArguments | undefined = undefined>(): Takes<Arguments> => ({})
