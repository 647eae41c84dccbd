"""What axe-core, the checker of accessibility that browsers' own tools build on, says about a part of a page."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page

_RUN = """async selector => {
    const {violations, incomplete} = await axe.run({include: [[selector]]}, {resultTypes: ['violations', 'incomplete']});
    const plain = results => results.map(({id, impact, nodes}) => ({id, impact, nodes: nodes.map(
        ({html, failureSummary, any}) => ({html, summary: failureSummary, reason: any[0]?.data?.messageKey ?? null}))}));
    return {violations: plain(violations), incomplete: plain(incomplete)};
}"""

# What axe cannot judge and need not: a sign that no one reads as text (its words stand beside it), and the arrow that
# JupyterLab paints into a list.
_NEED_NO_CONTRAST = ("nonBmp", "bgImage")


def violations(page: Page, selector: str) -> list[str]:
    """Return the serious and critical violations inside *selector*, and every text whose contrast could not be judged.

    Only what is on the screen can be judged: make the window high enough first.
    """
    axe = pytest.importorskip(
        "axe_playwright_python.base",
        reason="axe-core is not installed; install axe-playwright-python to check accessibility",
    )
    # JupyterLab's body is 0 pixels high and lets nothing overflow; its parts stand outside of it. axe takes them for hidden.
    page.evaluate("() => { document.body.style.height = '100vh'; }")
    page.evaluate(axe.AXE_SCRIPT)
    result: dict[str, Any] = page.evaluate(_RUN, selector)
    serious = [
        f"{violation['id']}: {node['html']} {node['summary']}"
        for violation in result["violations"]
        if violation["impact"] in ("serious", "critical")
        for node in violation["nodes"]
    ]
    unjudged = [
        f"{rule['id']} not judged ({node['reason']}): {node['html']}"
        for rule in result["incomplete"]
        if rule["id"] == "color-contrast"
        for node in rule["nodes"]
        if node["reason"] not in _NEED_NO_CONTRAST
    ]
    return serious + unjudged
