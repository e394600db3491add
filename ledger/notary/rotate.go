package notary

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/imalink/custody/events"
	"github.com/imalink/custody/ledger/durable"
	"github.com/imalink/custody/ledger/evidence/checkpoint"
)

// ErrKeys is returned where keys cannot be changed as asked. Nothing happened.
var ErrKeys = errors.New("notary: the keys do not allow it")

// An Announcer records that a key is added or retired. It is durable when it returns nil.
type Announcer func(ctx context.Context, k events.KeyAnnouncement) error

// AddKey makes another key of the log, announces it, and signs with both from then on. It returns the verifier key.
// The error wraps [ErrKeys] or [ErrUnsigned]; after any other the key may be announced, and is nobody's: add one
// again.
func (n *Notary) AddKey(ctx context.Context, who events.Who, announce Announcer) (key string, err error) {
	err = n.between(ctx, func(s *signer) error {
		if len(s.keys) == maxKeys {
			return fmt.Errorf("%w: two keys sign already; retire the older first", ErrKeys)
		}
		added, err := checkpoint.NewSigner(s.origin())
		if err != nil {
			return err
		}
		if err := announce(ctx, events.KeyAnnouncement{Who: who, What: "log", Key: added.Verifier()}); err != nil {
			return err
		}
		key = added.Verifier()
		return s.use(append(s.keys[:1:1], added))
	})
	return key, err
}

// RetireKey announces that the older of two keys of the log signs no more, up to which size it did, and destroys
// it. The error wraps [ErrKeys] or [ErrUnsigned]; after any other, retire it again.
func (n *Notary) RetireKey(ctx context.Context, who events.Who, announce Announcer) (key string, upto uint64, err error) {
	err = n.between(ctx, func(s *signer) error {
		if len(s.keys) != maxKeys {
			return fmt.Errorf("%w: only one key signs; add another first", ErrKeys)
		}
		if err := s.again(); err != nil { // else nothing would be signed by the key that stays
			return err
		}
		key, upto = s.keys[0].Verifier(), s.last.Size
		if err := announce(ctx, events.KeyAnnouncement{Who: who, What: "log", Retired: true, Key: key, Upto: upto}); err != nil {
			return err
		}
		return s.use(s.keys[1:])
	})
	return key, upto, err
}

// use signs with other keys from now on, durably.
func (s *signer) use(keys []checkpoint.Signer) error {
	if err := writeKeys(s.dir, keys...); err != nil {
		return err
	}
	s.keys = keys
	return nil
}

// between runs change while nothing is being signed. The error wraps [ErrUnsigned] if this ledger signs nothing.
func (n *Notary) between(ctx context.Context, change func(*signer) error) error {
	return n.ask(ctx, func() error {
		if n.signer == nil {
			return fmt.Errorf("%w: %s", ErrUnsigned, n.Status().Unsigned)
		}
		err := change(n.signer)
		n.set(func(s *Status) { s.Keys = verifiers(n.signer.keys) })
		return err
	})
}

// ask runs something in the notary's goroutine.
func (n *Notary) ask(ctx context.Context, do func() error) error {
	answer := make(chan error, 1)
	select {
	case n.asked <- func() { answer <- do() }:
		return <-answer
	case <-n.done:
		return ErrClosed
	case <-ctx.Done():
		return ctx.Err()
	}
}

// NewOrigin gives a ledger that may not sign a new name to sign under, with new keys, and announces that with the
// name before as its ancestor. The name is that of the ancestor with another end; base stands in where nobody knows
// it any more. What was signed under the former one stays beside the keys. The error wraps [ErrKeys] for a ledger that
// signs; after any other, do it again.
func (n *Notary) NewOrigin(ctx context.Context, base string, who events.Who, announce Announcer) (key string, err error) {
	err = n.ask(ctx, func() error {
		switch {
		case n.signer != nil:
			return fmt.Errorf("%w: it signs under %s", ErrKeys, n.signer.origin())
		case !errors.Is(n.why, ErrUnsigned):
			return fmt.Errorf("%w: its keys may be well: %w", ErrKeys, n.why)
		}
		held, err := lock(n.cfg.Keys)
		if err != nil {
			return err
		}
		if key, err = n.newOrigin(ctx, base, who, announce, held); err != nil {
			err = errors.Join(err, held.Close())
		}
		return err
	})
	return key, err
}

// newOrigin is NewOrigin while nobody else signs with the keys. The lock is the signer's afterwards.
func (n *Notary) newOrigin(ctx context.Context, base string, who events.Who, announce Announcer, held *durable.Lock) (key string, err error) {
	ancestor, err := n.putAside()
	if err == nil && ancestor == "" {
		ancestor, err = n.cosignedOrigin()
	}
	if err != nil {
		return "", err
	}
	added, err := checkpoint.NewSigner(successor(cmp.Or(ancestor, base)))
	if err != nil {
		return "", err
	}
	if err := announce(ctx, events.KeyAnnouncement{Who: who, What: "log", Key: added.Verifier(), Ancestor: ancestor}); err != nil {
		return "", err
	}
	if err := takeOrigin(n.cfg.Keys, added); err != nil {
		return "", err
	}
	s, err := readSigner(n.cfg.Keys, held)
	if err != nil {
		return "", err
	}
	n.keeping.Lock()
	defer n.keeping.Unlock()
	n.take(s)
	n.set(func(s *Status) { n.cosigned, s.Cosigned = nil, 0 }) // they are of the former origin
	n.publish(n.signer.last, time.Time{})
	return added.Verifier(), nil
}

// successor is a name that no ledger has: the former one with an end of eight random digits, in place of one that it
// has already.
func successor(origin string) string {
	var end [4]byte
	rand.Read(end[:]) // never fails: crypto/rand ends the program first
	if cut := len(origin) - 2*len(end) - 1; cut > 0 && origin[cut] == '/' && strings.Trim(origin[cut+1:], "0123456789abcdef") == "" {
		origin = origin[:cut]
	}
	return origin + "/" + hex.EncodeToString(end[:])
}

// putAside copies what was signed last under the former origin, and its keys, and tells that origin; "" if there is
// none.
func (n *Notary) putAside() (origin string, err error) {
	b, err := os.ReadFile(filepath.Join(n.cfg.Keys, signedFile))
	if err == nil {
		if note, err := checkpoint.Open(b); err == nil {
			origin = note.Origin
		}
	}
	sum := sha256.Sum256(b)
	for _, path := range KeyFiles(n.cfg.Keys) {
		b, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err == nil {
			err = durable.Replace(path+"."+hex.EncodeToString(sum[:4]), b)
		}
		if err != nil {
			return "", fmt.Errorf("keeping what was signed before: %w", err)
		}
	}
	return origin, nil
}

// cosignedOrigin is the origin of what is kept of cosigned checkpoints; "" if there is none.
func (n *Notary) cosignedOrigin() (string, error) {
	dir := filepath.Join(n.cfg.Dir, cosignedDir)
	files, err := os.ReadDir(dir)
	if err != nil {
		return "", fmt.Errorf("looking for the former origin: %w", err)
	}
	for _, file := range files {
		b, err := os.ReadFile(filepath.Join(dir, file.Name()))
		if err != nil {
			return "", fmt.Errorf("looking for the former origin: %w", err)
		}
		if note, err := checkpoint.Open(b); err == nil {
			return note.Origin, nil
		}
	}
	return "", nil
}

// takeSigner begins to sign with the keys that are there.
func (n *Notary) takeSigner() error {
	s, err := openSigner(n.cfg.Keys)
	if err != nil {
		return err
	}
	n.take(s)
	return nil
}

func (n *Notary) take(s *signer) {
	n.signer, n.why = s, nil
	n.set(func(status *Status) {
		status.Unsigned = ""
		status.Origin, status.Bundle, status.Keys = s.origin(), s.bundle.Verifier(), verifiers(s.keys)
	})
}
