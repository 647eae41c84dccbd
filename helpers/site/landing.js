// Fetch what the first lesson needs while the reader reads. Not where data is dear.
const root = new URL(document.getElementById('jupyter-config-data').dataset.jupyterLiteRoot + '/', location.href);
const ready = document.getElementById('ready');

async function fetchAhead() {
  const [bar, status] = ready.children;
  ready.hidden = false;
  status.textContent = words.fetching;
  let fetched = 0;
  for (const file of files) {
    const answer = await fetch(new URL(file, root), { priority: 'low' });
    await answer.arrayBuffer();
    bar.value = ++fetched / files.length;
  }
  bar.hidden = true;
  status.textContent = words.ready;
}

if (!navigator.connection?.saveData) {
  addEventListener('load', () => setTimeout(() => fetchAhead().catch(() => { ready.hidden = true; }), 200));
}

// Lessons, settings and the sandbox's state are one database of this site's own.
document.getElementById('reset').addEventListener('click', () => {
  if (!confirm(words.ask)) return;
  const status = document.getElementById('reset-status');
  const request = indexedDB.deleteDatabase('JupyterLite Storage - ' + root.pathname);
  request.onblocked = () => { status.textContent = words.blocked; };
  request.onsuccess = () => { status.textContent = words.deleted; };
  request.onerror = () => { status.textContent = words.failed; };
});
