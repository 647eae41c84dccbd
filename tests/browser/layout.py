"""Whether everything in a part of a page has its place: nothing cut off, nothing on top of another."""

from __future__ import annotations

from playwright.sync_api import Locator

_BROKEN = """panels => {
    const shown = element => element.checkVisibility({visibilityProperty: true}) && element.getClientRects().length;
    const name = element => `${element.tagName.toLowerCase()}.${[...element.classList].join('.')} “${
        (element.getAttribute('aria-label') || element.textContent || element.title || '').trim().slice(0, 40)}”`;
    const broken = [];
    for (const panel of panels.filter(shown)) {
        const frame = panel.getBoundingClientRect();
        const parts = [...panel.querySelectorAll('*')].filter(part => shown(part) && !part.closest('svg svg, svg > *'));
        for (const part of parts) {
            const box = part.getBoundingClientRect();
            const scrolls = part.closest('.acs-scroll') ?? part;  // what stands in there can be brought into view
            if (scrolls === part && box.width && (box.left < frame.left - 1 || box.right > frame.right + 1))
                broken.push(`sticks out of its panel: ${name(part)}`);
            const {overflowX, overflowY} = getComputedStyle(part);
            const cuts = (overflow, whole, seen) =>
                (overflow === 'hidden' || overflow === 'clip') && whole > seen + 1;
            if (part.tagName !== 'INPUT' && part.clientWidth
                && (cuts(overflowX, part.scrollWidth, part.clientWidth) || cuts(overflowY, part.scrollHeight, part.clientHeight)))
                broken.push(`is cut off: ${name(part)}`);
        }
        const words = parts.filter(part => part.matches('button, input, select, summary, pre, a, label, th, td, dt, dd, .acs-title, .acs-note, .acs-pill'));
        for (const [index, one] of words.entries())
            for (const other of words.slice(index + 1)) {
                if (one.contains(other) || other.contains(one)) continue;
                const a = one.getBoundingClientRect(), b = other.getBoundingClientRect();
                const wide = Math.min(a.right, b.right) - Math.max(a.left, b.left);
                const high = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
                if (wide > 2 && high > 2) broken.push(`overlap: ${name(one)} and ${name(other)}`);
            }
    }
    return broken;
}"""


def broken_places(panels: Locator) -> list[str]:
    """Return what is cut off, sticks out or overlaps in *panels*, in words; an empty list where all is well.

    Raises:
        AssertionError: there are no panels to look at.
    """
    if not panels.count():
        raise AssertionError(f"nothing to look at: {panels}")
    broken: list[str] = panels.evaluate_all(_BROKEN)
    return broken
