// The page: files in, verdict out.

const held = { file: null, trust: null, said: null, run: 0 };
const byId = (id) => document.getElementById(id);

// translate puts the words of the chosen language on the page.
function translate() {
  document.documentElement.lang = language;
  document.title = say('title');
  for (const e of document.querySelectorAll('[data-text]')) e.textContent = say(e.dataset.text);
  for (const b of document.querySelectorAll('[data-language]')) b.setAttribute('aria-pressed', String(b.dataset.language === language));
  render();
}

function render() {
  const shown = held.said ? showVerdict(held.said) : [];
  byId('result').replaceChildren(...shown);
  byId('status').textContent = shown.length > 0 ? [...shown[0].children].map((e) => e.textContent).join(' ') : ''; // read aloud
  for (const which of ['file', 'trust']) byId(which + '-clear').hidden = !held[which];
}

// run verifies what is held. A later run makes an earlier one forget its result.
async function run() {
  const id = ++held.run, progress = byId('progress');
  held.said = null;
  render();
  byId('problem').hidden = true;
  if (!held.file) return;
  byId('working').hidden = false;
  try {
    const said = await verdict((part) => { if (id === held.run) progress.value = part; });
    if (id !== held.run) return;
    held.said = said;
    render();
  } catch (e) {
    if (id === held.run) byId('problem').hidden = false;
    throw e;
  } finally {
    if (id === held.run) byId('working').hidden = true;
  }
}

async function verdict(report) {
  const bytes = new Uint8Array(await held.file.arrayBuffer());
  const trust = held.trust ? new Uint8Array(await held.trust.arrayBuffer()) : null;
  try {
    const said = await verifyFile(bytes, trust, report);
    said.file = hex(await sha256Long(bytes, new Pace(report)));
    return said;
  } catch (e) {
    if (!(e instanceof Refused && e.code === 'trust')) throw e;
    return { outcome: 'trust', detail: e.detail };
  }
}

function hold(which, file) {
  held[which] = file || null;
  run();
}

// drop takes files from anywhere: a proof or a bundle begins as such, a trust file does not.
async function drop(files) {
  for (const file of [...files].slice(0, 2)) {
    const head = new Uint8Array(await file.slice(0, 8).arrayBuffer());
    const which = isProof(head) || (head[0] === 0x50 && head[1] === 0x4b) ? 'file' : 'trust';
    const shown = new DataTransfer();
    shown.items.add(file);
    byId(which).files = shown.files;
    held[which] = file;
  }
  run();
}

function start() {
  for (const which of ['file', 'trust']) {
    const input = byId(which);
    input.addEventListener('change', () => hold(which, input.files[0]));
    byId(which + '-clear').addEventListener('click', () => { input.value = ''; hold(which, null); input.focus(); });
  }
  for (const b of document.querySelectorAll('[data-language]')) b.addEventListener('click', () => { language = b.dataset.language; translate(); });
  document.addEventListener('dragover', (e) => { e.preventDefault(); document.body.classList.add('over'); });
  document.addEventListener('dragleave', (e) => { if (!e.relatedTarget) document.body.classList.remove('over'); });
  document.addEventListener('drop', (e) => {
    e.preventDefault();
    document.body.classList.remove('over');
    drop(e.dataTransfer.files);
  });
  translate();
}

// custody is for programs and tests: verify takes the bytes of a file and of a trust file, or null. It rejects if the
// trust file is none.
window.custody = Object.freeze({
  verify: async (bytes, trust) => verdictJSON(await verifyFile(new Uint8Array(bytes), trust && new Uint8Array(trust))),
  record: (stored) => { const r = recordOf(new Uint8Array(stored)); return Object.assign(r, { digest: hex(r.digest) }); },
  digest: (bytes) => hex(sha256(new Uint8Array(bytes))),
  kinds: Object.freeze(kinds.slice()),
  flags: Object.freeze(flagNames.slice()),
});

start();
