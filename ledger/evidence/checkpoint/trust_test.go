package checkpoint

import (
	"errors"
	"strings"
	"testing"
)

func TestTrustReads(t *testing.T) {
	all := everybody()
	trust := all.trust(t)
	if trust.Origin() != origin || !trust.Knows(all.replay.Key()) || trust.Knows(Key{Name: origin, ID: 1}) {
		t.Errorf("%+v", trust)
	}
	var nobody *Trust
	if nobody.Origin() != "" || nobody.Knows(all.log.Key()) {
		t.Error("a nil trust trusts somebody")
	}
	least := "log " + all.log.Verifier() + "\n"
	for name, file := range map[string]string{
		"a log alone":               least,
		"comments and blank lines":  "#\n\n# é\n" + least + "\n#quorum witness\n",
		"a quorum of keys to come":  least + "quorum witness 3\n",
		"the largest size":          "log " + all.log.Verifier() + " upto 9007199254740991\n",
		"no leaves":                 "log " + all.log.Verifier() + " upto 0\n",
		"a witness of any name":     least + "witness " + cosigner("witness.example/w1", 0x10).Verifier() + "\n",
		"a quorum before its keys":  "quorum witness 1\n" + least + "witness " + all.witness.Verifier() + "\n",
		"comments beyond any limit": "#" + strings.Repeat("x", MaxTrust-len(least)-2) + "\n" + least,
	} {
		if _, err := ParseTrust([]byte(file)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestTrustRefused(t *testing.T) {
	all := everybody()
	log, witness := "log "+all.log.Verifier()+"\n", "witness "+all.witness.Verifier()+"\n"
	same := cosigner("auditor.example/replay", 0x60) // the public key of the witness
	for name, file := range map[string]string{
		"nothing":                  "",
		"comments alone":           "# log\n",
		"no log":                   witness,
		"an unknown word":          log + "observer " + all.witness.Verifier() + "\n",
		"a word alone":             log + "witness\n",
		"a word too many":          log + "witness " + all.witness.Verifier() + " upto 5\n",
		"two spaces":               log + "witness  " + all.witness.Verifier() + "\n",
		"a space before":           " " + log,
		"a space behind":           strings.TrimSuffix(log, "\n") + " \n",
		"a tab":                    strings.Replace(log, " ", "\t", 1),
		"CR":                       strings.ReplaceAll(log+witness, "\n", "\r\n"),
		"a line of spaces":         log + "  \n",
		"a byte order mark":        "\ufeff" + log,
		"no last line end":         strings.TrimSuffix(log, "\n"),
		"no UTF-8":                 log + "# \xff\n",
		"too large":                log + "#" + strings.Repeat("x", MaxTrust) + "\n",
		"upto nothing":             strings.TrimSuffix(log, "\n") + " upto\n",
		"upto what is no size":     strings.TrimSuffix(log, "\n") + " upto 01\n",
		"upto 2^53":                strings.TrimSuffix(log, "\n") + " upto 9007199254740992\n",
		"up to":                    strings.TrimSuffix(log, "\n") + " to 5\n",
		"a key twice":              log + log,
		"a key twice, capped once": log + strings.TrimSuffix(log, "\n") + " upto 5\n",
		"a key under two names":    log + witness + "replay " + same.Verifier() + "\n",
		"a key under two roles": log + "witness " + cosigner("a/witness", 0x10).Verifier() + "\n" +
			"bundle " + signer("a/bundle", 0x10).Verifier() + "\n",
		"a log's key as bundle's":     log + "bundle " + signer("a/bundle", 0x20).Verifier() + "\n",
		"two origins":                 log + "log " + signer("other.example", 0x10).Verifier() + "\n",
		"a log that cosigns":          "log " + all.witness.Verifier() + "\n",
		"a witness that signs":        log + "witness " + signer("a/witness", 0x10).Verifier() + "\n",
		"a replay that signs":         log + "replay " + signer("a/replay", 0x10).Verifier() + "\n",
		"a bundle that cosigns":       log + "bundle " + cosigner("a/bundle", 0x10).Verifier() + "\n",
		"a witness of another name":   log + "witness " + all.replay.Verifier() + "\n",
		"a replay of another name":    log + "replay " + all.witness.Verifier() + "\n",
		"a bundle of another name":    log + "bundle " + signer("a/bundles", 0x10).Verifier() + "\n",
		"a witness that replays":      log + "witness " + cosigner("/replay", 0x10).Verifier() + "\n",
		"quorum of nothing":           log + "quorum\n",
		"quorum of logs":              log + "quorum log 1\n",
		"quorum of bundles":           log + "quorum bundle 1\n",
		"quorum without number":       log + "quorum witness\n",
		"quorum of 0":                 log + "quorum witness 0\n",
		"quorum of -1":                log + "quorum witness -1\n",
		"quorum of 01":                log + "quorum witness 01\n",
		"quorum of far too many":      log + "quorum witness 4294967297\n",
		"quorum twice":                log + "quorum witness 1\nquorum witness 1\n",
		"quorum of more than keys":    log + witness + "quorum witness 2\n",
		"quorum of more, said before": "quorum witness 2\n" + log + witness,
	} {
		if trust, err := ParseTrust([]byte(file)); !errors.Is(err, ErrTrust) || trust != nil {
			t.Errorf("%s: %v, %v", name, trust, err)
		}
	}
}

// Every changed bit of a line that says something is refused, or changes no key: it makes a comment of the line, or
// another number.
func TestTrustChanged(t *testing.T) {
	all := everybody()
	file := []byte(all.trustFile())
	known := []Key{all.old.Key(), all.log.Key(), all.witness.Key(), all.replay.Key(), all.bundle.Key()}
	read := 0
	for changed := range changes(file) {
		trust, err := ParseTrust(changed)
		if err != nil {
			continue
		}
		read++
		for _, k := range trust.keys {
			if !contains(known, k.Key) {
				t.Fatalf("%q trusts %v", changed, k.Key)
			}
		}
	}
	if read == 0 {
		t.Error("not even another comment was read")
	}
}

func contains(keys []Key, k Key) bool {
	for _, have := range keys {
		if have == k {
			return true
		}
	}
	return false
}

func TestVerifierRefused(t *testing.T) {
	good := everybody().witness.Verifier()
	if v, err := parseVerifier(good); err != nil || v.text() != good {
		t.Fatalf("%v", err)
	}
	for changed := range changes([]byte(good)) {
		if v, err := parseVerifier(string(changed)); err == nil {
			t.Fatalf("%q is read as %q", changed, v.text())
		} else if !errors.Is(err, ErrKey) {
			t.Fatalf("%q: %v", changed, err)
		}
	}
	for _, name := range []string{"é/witness", "a\u202eb/witness", strings.Repeat("o", MaxName) + "/witness", "\a/witness"} {
		key := cosigner(name, 0) // whole but for the name
		if _, err := parseVerifier(key.Verifier()); !errors.Is(err, ErrKey) {
			t.Errorf("a verifier key with the name %q: %v", name, err)
		}
		if _, err := ParseCosigner(key.Reveal()); !errors.Is(err, ErrKey) {
			t.Errorf("a private key with the name %q: %v", name, err)
		}
	}
}

func TestCosignerRole(t *testing.T) {
	all := everybody()
	for text, want := range map[string]string{
		all.witness.Verifier(): "witness", all.replay.Verifier(): "replay",
		all.log.Verifier(): "", signer("a/witness", 0).Verifier(): "", all.witness.Reveal(): "", "": "",
		cosigner("/replay", 0).Verifier(): "", cosigner("witness.example/w1", 0).Verifier(): "witness", cosigner("a/replays", 0).Verifier(): "witness",
	} {
		if role, ok := CosignerRole(text); role != want || ok != (want != "") {
			t.Errorf("%.20q: %q, %t, want %q", text, role, ok, want)
		}
	}
}
