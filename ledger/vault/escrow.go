package vault

import (
	"context"
	"fmt"
)

// An EscrowedRoot is a root key on its way to escrow.
type EscrowedRoot struct {
	secret
	Version uint64
	// Last is the sequence up to which a copy of the vault's stream must reach, for
	// this root to open it.
	Last uint64
	slot slot
}

// Reveal returns what [RestoreRoot] restores the root from: its slot of the root
// file, see FORMAT.md. It is the key itself unless a Wrapper sealed it. Every
// call is a disclosure.
func (r EscrowedRoot) Reveal() []byte { return r.slot.append(nil) }

// RestoreRoot makes a root file of what EscrowedRoot.Reveal returned; w is what
// sealed it, if anything did. It refuses with ErrExists whatever is at path. The
// error is ErrDamaged if it is not what was revealed, and wraps ErrMissingRoot
// if w cannot open it; then nothing was made.
func RestoreRoot(path string, revealed []byte, w Wrapper) error {
	b := make([]byte, slotSize)
	copy(b, revealed)
	s, ok := decodeSlot(b)
	if !ok || s.version == 0 || len(s.append(nil)) != len(revealed) {
		return fmt.Errorf("restoring a root: %w", damaged("it is not as it was escrowed"))
	}
	if _, err := s.open(w); err != nil {
		return fmt.Errorf("restoring a root: %w", err)
	}
	return newRootFile(path, func() (slot, error) { return s, nil })
}

// deposit has a root escrowed that opens the stream up to last. After an error it
// may have been or not.
func (v *Vault) deposit(ctx context.Context, s slot, last uint64) error {
	if v.escrow == nil {
		return nil
	}
	if err := v.escrow(ctx, EscrowedRoot{Version: s.version, Last: last, slot: s}); err != nil {
		return fmt.Errorf("escrowing root version %d: %w", s.version, err)
	}
	return nil
}
