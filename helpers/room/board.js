// Shows what changed, every second. Nothing else on the page is touched, so that a screen reader or a selection stays put.
"use strict";

const shown = {};
const lost = document.getElementById("lost");

async function refresh() {
  try {
    const answer = await fetch("state", { signal: AbortSignal.timeout(4000) });
    if (!answer.ok) throw new Error(answer.statusText);
    for (const [id, html] of Object.entries(await answer.json())) {
      if (shown[id] === html) continue;
      shown[id] = html;
      document.getElementById(id).innerHTML = html;
    }
    lost.textContent = "";
  } catch {
    if (!lost.textContent) lost.textContent = lost.dataset.words;
  }
  setTimeout(refresh, 1000);
}

refresh();
