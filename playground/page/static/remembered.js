/** What the browser remembers for the next visit. It may forbid that; then each visit begins anew. */

/**
 * @param {string} key
 * @returns {string | null}
 */
export function remembered(key) {
    try {
        return localStorage.getItem(key);
    } catch {
        return null;
    }
}

/**
 * @param {string} key
 * @param {string} value
 */
export function remember(key, value) {
    try {
        localStorage.setItem(key, value);
    } catch {
        // The next visit begins anew.
    }
}
