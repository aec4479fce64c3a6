/** Staying at the newest message, unless the reader has gone up to read. */

const NEAR_PX = 80;

/**
 * @param {HTMLElement} scroller
 * @param {HTMLElement} inner what grows in it
 * @param {HTMLButtonElement} jump shown where something new came that is out of sight
 * @returns {{arrived: () => void, toEnd: () => void}} `arrived` is to be called after something new was drawn
 */
export function mountScrolling(scroller, inner, jump) {
    let follows = true;
    let top = 0;

    const distance = () => scroller.scrollHeight - scroller.clientHeight - scroller.scrollTop;
    const follow = () => {
        if (follows) scroller.scrollTop = scroller.scrollHeight;
    };
    const toEnd = () => {
        follows = true;
        jump.hidden = true;
        follow();
    };

    scroller.addEventListener("scroll", () => {
        // Only a way up is the reader's own: what grows below also makes the end more distant.
        const wentUp = scroller.scrollTop < top;
        top = scroller.scrollTop;
        if (distance() <= NEAR_PX) {
            follows = true;
            jump.hidden = true;
        } else if (wentUp) follows = false;
    });
    jump.addEventListener("click", () => {
        toEnd();
        /** @type {HTMLElement | null} */ (inner.lastElementChild)?.focus({ preventScroll: true });
    });
    const watcher = new ResizeObserver(follow);
    watcher.observe(scroller);
    watcher.observe(inner);

    return {
        arrived: () => {
            if (!follows) jump.hidden = false;
            follow();
        },
        toEnd,
    };
}
