/** The folder of its sockets, and the control socket, unless somebody says otherwise. */
export const usualRun = '/run/rephub'
export const usualControl = `${usualRun}/control.sock`
