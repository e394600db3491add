package crash_test

import (
	"testing"
	"time"
)

// TestKill ends the server with SIGKILL under the load of several clients, or
// while it starts, and starts it again.
func TestKill(t *testing.T) {
	t.Parallel()
	seed, rounds := newSeed(t), int(setting(t, "CUSTODY_CRASH_ROUNDS", fewRounds))
	const perLedger = 25 // rounds until a new ledger keeps the replay short
	for first := 0; first < rounds; first += perLedger {
		s := newSite(t)
		s.serve(t).kill() // with nothing recorded yet
		srv := s.serve(t)
		tok := srv.setUp(t, s)
		b := newBook()
		for round := first; round < min(first+perLedger, rounds); round++ {
			srv = killRound(t, s, srv, tok, b, seed, round)
			if t.Failed() {
				t.Fatalf("in round %d", round)
			}
		}
		srv.stop(t)
		s.sound(t)
		t.Logf("%d rounds: %d events acknowledged", min(first+perLedger, rounds), len(b.promises))
	}
}

// killRound loads the server, kills it at some moment, and demands that the
// next one knows everything. It returns that one, running.
func killRound(t *testing.T, s site, srv *server, tok tokens, b *book, seed uint64, round int) *server {
	t.Helper()
	rng := random(seed, "kill", round)
	l := &load{srv: srv, token: tok.relay, book: b, seed: seed, round: round, clients: 2 + rng.IntN(6), most: 1 + rng.IntN(200)}
	if rng.IntN(5) == 0 {
		l.large = 1000
	}
	enough := b.after(rng.IntN(400))
	l.start()
	select {
	case <-enough:
	case <-time.After(patience):
		t.Errorf("no acknowledgement in %v\n%s", patience, srv.out)
	}
	srv.kill()
	l.end()
	if rng.IntN(4) == 0 { // once more while it recovers
		again := s.start(t, nil)
		again.gone(time.Duration(rng.IntN(300)) * time.Millisecond)
		again.kill()
	}
	srv = s.serve(t)
	b.verify(t, srv, tok.reader)
	b.retry(t, srv, tok.relay)
	b.verify(t, srv, tok.reader)
	if round%5 == 4 {
		srv.stop(t)
		s.sound(t)
		srv = s.serve(t)
	}
	return srv
}
