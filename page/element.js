/** A namespace of its own, without which SVG is no SVG. */
const svgNamespace = 'http://www.w3.org/2000/svg'

/**
 * What stands in an element: text stays text, whatever it has.
 *
 * @typedef {Node | string | null | undefined | false} Part
 * @typedef {Record<string, string | number | boolean | null | undefined>} Attributes
 */

/**
 * Makes an element of HTML.
 *
 * @template {keyof HTMLElementTagNameMap} Name
 * @param {Name} name
 * @param {Attributes} attributes null and false leave one out
 * @param {...Part} parts
 * @returns {HTMLElementTagNameMap[Name]}
 */
export function html(name, attributes = {}, ...parts) {
  return filled(document.createElement(name), attributes, parts)
}

/**
 * Makes an element of SVG.
 *
 * @template {keyof SVGElementTagNameMap} Name
 * @param {Name} name
 * @param {Attributes} attributes
 * @param {...Part} parts
 * @returns {SVGElementTagNameMap[Name]}
 */
export function svg(name, attributes = {}, ...parts) {
  return filled(document.createElementNS(svgNamespace, name), attributes, parts)
}

/**
 * @template {Element} E
 * @param {E} element
 * @param {Attributes} attributes
 * @param {readonly Part[]} parts
 * @returns {E}
 */
function filled(element, attributes, parts) {
  for (const [name, value] of Object.entries(attributes))
    if (value !== null && value !== undefined && value !== false)
      element.setAttribute(name, value === true ? '' : String(value))
  for (const part of parts) if (part !== null && part !== undefined && part !== false) element.append(part)
  return element
}

/**
 * Puts other parts into an element, unless they look the same: what is focused or selected stays so.
 *
 * @param {Element} element
 * @param {...Part} parts
 */
export function put(element, ...parts) {
  const made = document.createElement('div')
  for (const part of parts) if (part !== null && part !== undefined && part !== false) made.append(part)
  const isSame =
    made.childNodes.length === element.childNodes.length &&
    [...made.childNodes].every((node, index) => node.isEqualNode(element.childNodes[index] ?? null))
  if (!isSame) element.replaceChildren(...made.childNodes)
}

/**
 * @param {string} id
 * @returns {HTMLElement}
 */
export function byId(id) {
  const found = document.getElementById(id)
  if (found === null) throw new Error(`there is no #${id}`)
  return found
}
