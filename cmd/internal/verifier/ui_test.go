package verifier_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/imalink/custody/ledger/evidence"
	"github.com/imalink/custody/ledger/evidence/checkpoint"
	"github.com/imalink/custody/ledger/evidence/evidencetest"
)

func do(t testing.TB, actions ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	for _, a := range actions {
		if err := chromedp.Do(shared.tab, a); err != nil {
			t.Fatal(err)
		}
	}
}

// upload opens the page anew and gives it files through its inputs; nil is none.
func upload(t testing.TB, file, trust []byte) {
	t.Helper()
	do(t, chromedp.Navigate(shared.page))
	for _, in := range []struct {
		input   string
		content []byte
	}{{"#trust", trust}, {"#file", file}} {
		if in.content == nil {
			continue
		}
		path := filepath.Join(t.TempDir(), "file")
		if err := os.WriteFile(path, in.content, 0o600); err != nil {
			t.Fatal(err)
		}
		do(t, chromedp.SetUploadFiles(in.input, []string{path}))
	}
}

// settled is a promise of the page's text once there is a result.
const settled = `new Promise((done) => {
	const result = document.getElementById('result');
	const look = () => result.querySelector('.outcome') && document.getElementById('working').hidden ? done(result.innerText) : setTimeout(look, 10);
	look();
})`

// TestPage gives the page files of each outcome, in each language, and reads what it says.
func TestPage(t *testing.T) {
	w := evidencetest.NewWorld(1)
	seen := w.Note(w.Size(), evidencetest.Everybody)
	q := evidence.Question{What: evidence.Absence, Flags: evidence.T5, Of: evidence.Days, From: evidencetest.FirstDay - 30, To: evidencetest.FirstDay - 20}
	absence := must(evidence.ProveLight(w, seen, q, w.Second))(t)
	q = evidence.Question{What: evidence.List, Flags: evidence.T4, Of: evidence.Days, From: evidencetest.FirstDay + 5, To: evidencetest.FirstDay + 5}
	list := must(evidence.ProveReplay(w, seen, q))(t)
	told := must(evidence.ProveEvent(w, seen, w.Shared, w.Event(w.Shared)))(t)
	liar := w.Altered(7, must(w.Records(evidence.Span{From: 8, To: 9}))(t))
	fork := must(evidence.ProveFork(w.Note(w.Size(), evidencetest.Log), liar.Note(w.Size(), evidencetest.Log)))(t)
	facts, _ := evidencetest.FalseFacts(evidence.Rules())
	less := must(evidence.ProveShownLess(w.Note(w.Size(), evidencetest.Log), w.Note(300, evidencetest.Log), must(checkpoint.ParseCosigner(evidencetest.Key(3)))(t), evidencetest.SignedAt()))(t)
	dirty := makeBundle(t, "T0", "T1", "T5", "U")
	trust := evidencetest.TrustFile("100")
	for _, c := range []struct {
		name        string
		file, trust []byte
		language    string
		says        []string
	}{
		{"absence", absence, trust, "en", []string{"PROVEN", "Of the first 702 records of ledger custody.example/ledger, none with T5 has an event day from 2024-12-02 to 2024-12-12 (both included, UTC).",
			"LIGHT: it trusts", "position 702. The 91 records after it", "Closed: ", "17 of the 702 records covered", "are what the producers claimed", "witness.example/witness+33525d27"}},
		{"list", list, trust, "nl", []string{"BEWEZEN", "REPLAY: ", "van 2025-01-06 tot en met 2025-01-06", "data.shared", "2025-01-06 00:00:00"}},
		{"no trust", absence, nil, "fr", []string{"COHÉRENT, SIGNATAIRES INCONNUS", "Ceci n’est pas prouvé.", "Aucun fichier de confiance", "Non close\u00a0: il n’est pas montré", "clé inconnue, ignorée"}},
		{"event", told, trust, "en", []string{"Position 41 of ledger", "It is of the stored event below.", `"party": "acme-bank"`}},
		{"fork", fork, trust, "en", []string{"PROVEN: A FAULT OF THE LEDGER", "signed two different contents as its first 793 records"}},
		{"shown less", less, trust, "en", []string{"PROVEN: A FAULT OF THE LEDGER", "after it had signed for 793 records, the newest checkpoint that it showed was for 300", "Seen by witness.example/witness (2026-01-01 00:00:00 UTC)."}},
		{"shown less, to whom", less, nil, "nl", []string{"Dit is niet bewezen."}},
		{"false facts", facts, trust, "en", []string{"The program custody verify judges that.", "the event at position 7", `"party": "acme-bank"`}},
		{"false", absence[:len(absence)-1], trust, "en", []string{"FALSE", "It ends too early.", "Nothing in this file may be relied on."}},
		{"neither", []byte("hello"), trust, "nl", []string{"ONWAAR", "Het is geen bewijs en geen bundel."}},
		{"bad trust", absence, []byte("log nobody\n"), "en", []string{"THE TRUST FILE CANNOT BE READ", "Line 1"}},
		{"bundle", dirty.bytes(t, 2), trust, "en", []string{"PROVEN", "T2, T3, T4, T5 or U", "Recomputed beside asserted", "classes.T5", "Grade F. Chapter V GDPR: broken.", "VERIFIED", "All that the statement asserts", "Who signed the manifest"}},
	} {
		upload(t, c.file, c.trust)
		do(t, chromedp.Click("button[data-language="+c.language+"]"))
		text := evaluate[string](t, settled)
		for _, want := range c.says {
			if !strings.Contains(text, want) {
				t.Errorf("%s: the page does not say %q:\n%.2000s", c.name, want, text)
			}
		}
	}
}

// TestMarkup gives the page names that look like markup: they stay text.
func TestMarkup(t *testing.T) {
	w := evidencetest.NewWorld(1)
	origin := `<img/src=x/onerror=document.title="caught"><b>bold</b>`
	note := evidencetest.Sign(checkpoint.Checkpoint{Origin: origin, Size: w.Size(), Root: w.Root(w.Size())}, evidencetest.Log)
	upload(t, must(evidence.ProveEvent(w, note, 3, nil))(t), nil)
	if text := evaluate[string](t, settled); !strings.Contains(text, origin) {
		t.Errorf("the page does not name the ledger %s:\n%s", origin, text)
	}
	if n := evaluate[int](t, "document.querySelectorAll('#result img, #result b').length"); n > 0 {
		t.Errorf("%d elements were made from a name", n)
	}
}

// TestPolicy tries what the page's own policy forbids: all of it must be refused by the browser.
func TestPolicy(t *testing.T) {
	do(t, chromedp.Navigate(shared.page))
	got := evaluate[[]string](t, `(async () => {
		const seen = [];
		document.addEventListener('securitypolicyviolation', (e) => seen.push(e.effectiveDirective));
		const add = (tag, set) => document.body.append(Object.assign(document.createElement(tag), set));
		await fetch('http://127.0.0.1:9/').catch(() => {});
		add('img', {src: 'http://127.0.0.1:9/x.png'});
		add('script', {textContent: 'document.title = "caught"'});
		add('script', {src: 'http://127.0.0.1:9/x.js'});
		add('style', {textContent: 'body {color: red}'});
		add('iframe', {src: 'http://127.0.0.1:9/'});
		try { new Worker('data:text/javascript,1'); } catch (e) { seen.push('worker-src'); }
		for (let i = 0; i < 300 && new Set(seen).size < 6; i++) await new Promise((resume) => setTimeout(resume, 10));
		return [...new Set(seen)].sort();
	})()`)
	for _, want := range []string{"connect-src", "img-src", "script-src-elem", "style-src-elem", "frame-src", "worker-src"} {
		if !slices.Contains(got, want) {
			t.Errorf("the policy did not stop %s, only %q", want, got)
		}
	}
}

// TestUnsupported takes Ed25519 away from the browser: nothing is called proven then, nor false.
func TestUnsupported(t *testing.T) {
	w := evidencetest.NewWorld(1)
	proof := must(evidence.ProveEvent(w, w.Note(w.Size(), evidencetest.Everybody), 3, nil))(t)
	for name, without := range map[string]string{
		"algorithm": "{importKey() { throw new DOMException('no', 'NotSupportedError'); }}", "WebCrypto": "undefined",
	} {
		do(t, chromedp.Navigate(shared.page))
		evaluate[int](t, "Object.defineProperty(crypto, 'subtle', {value: "+without+"}), 0")
		got := verify(t, vector{proof, evidencetest.TrustFile("100")}, vector{proof, nil})
		if outcome(string(got[0])) != "unsupported" || outcome(string(got[1])) != "unsigned" {
			t.Errorf("without %s: %s and, without a trust file, %s", name, got[0], got[1])
		}
	}
	do(t, chromedp.Navigate(shared.page))
}

// TestDrop drops a proof and a trust file on the page, in either order.
func TestDrop(t *testing.T) {
	w := evidencetest.NewWorld(1)
	proof := must(evidence.ProveEvent(w, w.Note(w.Size(), evidencetest.Everybody), 3, nil))(t)
	for _, files := range [][][]byte{{proof, evidencetest.TrustFile("100")}, {evidencetest.TrustFile("100"), proof}} {
		do(t, chromedp.Navigate(shared.page))
		evaluate[int](t, fmt.Sprintf(`(() => {%s
			const dataTransfer = new DataTransfer();
			%s.forEach((content, i) => dataTransfer.items.add(new File([unbase64(content)], 'file-' + i)));
			document.body.dispatchEvent(new DragEvent('drop', {dataTransfer, bubbles: true, cancelable: true}));
			return 0;
		})()`, library, encoded(t, files)))
		if text := evaluate[string](t, settled); !strings.Contains(text, "PROVEN") {
			t.Errorf("the page says %.300s", text)
		}
	}
}

// TestLong verifies a REPLAY proof of many megabytes through the input: the page must stay alive meanwhile.
func TestLong(t *testing.T) {
	const n = 200_000
	l := evidencetest.New(8)
	l.Grow(n)
	q := evidence.Question{What: evidence.Count, Flags: evidence.Late, Of: evidence.Days, From: 0, To: evidence.NoDay - 1}
	proof := must(evidence.ProveReplay(l, l.Note(n, evidencetest.Everybody), q))(t)
	v, err := evidence.Verify(proof, evidencetest.Trust())
	if err != nil {
		t.Fatal(err)
	}
	do(t, chromedp.Navigate(shared.page))
	evaluate[int](t, `(() => {
		window.seen = new Set();
		setInterval(() => { if (!document.getElementById('working').hidden) seen.add(document.getElementById('progress').value); }, 5);
		return 0;
	})()`)
	path := filepath.Join(t.TempDir(), "proof")
	if err := os.WriteFile(path, proof, 0o600); err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	do(t, chromedp.SetUploadFiles("#file", []string{path}))
	text := evaluate[string](t, settled)
	if want := fmt.Sprintf("exactly %s with late", thousands(v.Count())); !strings.Contains(text, want) {
		t.Errorf("the page does not say %q:\n%.500s", want, text)
	}
	if steps := evaluate[int](t, "seen.size"); steps < 3 {
		t.Errorf("the page came to life %d times in %v", steps, time.Since(start))
	}
}

func thousands(n uint64) string {
	if n < 1000 {
		return fmt.Sprint(n)
	}
	return fmt.Sprintf("%s,%03d", thousands(n/1000), n%1000)
}
