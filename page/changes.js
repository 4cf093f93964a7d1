/** What a change has to show, so that it comes from this page: said by the stream. */
let guard = ''

/** @param {string | null} given */
export function setGuard(given) {
  guard = given ?? ''
}

/**
 * Asks the server for a change.
 *
 * @param {'test' | 'discard' | 'logout'} name
 * @param {object} given
 * @returns {Promise<{ ok: true, answer: any } | { ok: false, why: string }>}
 */
export async function change(name, given) {
  try {
    const response = await fetch(`/${name}`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', 'X-Xenlight-Guard': guard },
      body: JSON.stringify(given),
      redirect: 'manual',
    })
    if (response.ok) return { ok: true, answer: await response.json() }
    return { ok: false, why: (await response.text()).trim() }
  } catch {
    return { ok: false, why: 'no answer came: whether it was done, the list of branches will show' }
  }
}
