const scriptDirectory = '/etc/xen/scripts/'

/** A hotplug script as the backend gets it: a name without a leading slash is one of Xen's own (`libxl__abs_path`). */
export const absoluteScript = (script: string): string => (script.startsWith('/') ? script : scriptDirectory + script)

/** The shortest name that `absoluteScript` turns into a path. */
export function scriptName(path: string): string {
  const name = path.slice(scriptDirectory.length)
  return path.startsWith(scriptDirectory) && !name.startsWith('/') ? name : path
}
