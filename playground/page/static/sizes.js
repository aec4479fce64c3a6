/** Sizes of files in words. */

/**
 * @param {number} bytes
 * @returns {string}
 */
export function readableSize(bytes) {
    if (bytes < 1000) return `${bytes} bytes`;
    return bytes < 1e6 ? `${(bytes / 1000).toFixed(1)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}
