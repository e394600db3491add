package report

import (
	"slices"

	"github.com/imalink/custody/events"
)

// Kind is what a document is about.
type Kind string

// The kinds. A dry run has an erasure or a retention, the next two an erasure,
// the last a retention. Only the last two have a shredding.
const (
	DryRun     Kind = "dry-run"    // what would be done; nothing was
	Restricted Kind = "restricted" // an erasure was opened
	Erased     Kind = "erased"     // and carried out
	Retained   Kind = "retention"  // the keys of a class were destroyed up to a month
)

// Kinds lists the kinds.
func Kinds() []Kind { return []Kind{DryRun, Restricted, Erased, Retained} }

// States of what is due.
const (
	Due  = "due"
	Done = "done"
)

// RecipientStates are what can have become of telling a recipient. The last two
// are the exceptions of Art. 19 GDPR.
func RecipientStates() []string {
	return []string{Due, "sent", "acknowledged", "impossible", "disproportionate"}
}

// LegKinds are the places that data have to go from, as data.deleted names them.
func LegKinds() []string {
	return []string{"live", "replica", "index", "cache", "export", "backup", "processor"}
}

// What a certificate says of copies, in this order. A certificate has Device only
// where one seals the root key.
const (
	Escrow = "escrow" // of the root key
	Backup = "backup" // of events and rows; it never has the root key
	Device = "device" // that seals the root key, and has a key for each version
	Other  = "other"  // what somebody copied; nobody can know
)

// States of a copy, besides Due and Done.
const (
	None    = "none"    // the server has none
	Unknown = "unknown" // not looked at, or not to be known
)

// CopyKinds are the kinds of copies.
func CopyKinds() []string { return []string{Escrow, Backup, Device, Other} }

// CopyStates are those that a kind of copy can have. Done is:
//
//   - of an escrow, which holds one version, that a later one was found there;
//   - of a backup, that it was found to have rows and table of a later version. It
//     keeps those of before, which open with a copy of the former root key only;
//   - of a device, that it was told to destroy the former's key, and then asked
//     whether it still had it.
func CopyStates(kind string) []string {
	switch kind {
	case Escrow, Backup:
		return []string{None, Due, Done}
	case Device:
		return []string{Due, Done, Unknown}
	}
	return []string{Unknown}
}

// ClearFields are the groups of fields that stay readable in every stored event
// (docs/FORMAT.md, stored event), whoever it was about.
func ClearFields() []string {
	return []string{"time", "kind", "producer", "numbers", "system", "purpose", "categories", "role", "recipient", "country", "transfer", "references", "details"}
}

// Learnable is what somebody who holds everything that exists afterwards can
// still learn, and no more: of a person who was erased, or, for a retention, of
// everyone in the cells that went.
func Learnable(retention bool) []string {
	if retention {
		return []string{"pattern", "tag", "cipher", "numbers", "others", "acts", "copies", "answers", "machine"}
	}
	return []string{"pattern", "tag", "gone", "shards", "written", "cipher", "numbers", "references", "shared", "crowd", "actors", "acts", "copies", "answers", "machine"}
}

// classes are the retention classes, as events names them.
func classes() (words []string) {
	for _, kind := range events.Kinds() {
		if class := kind.Retention().String(); !slices.Contains(words, class) {
			words = append(words, class)
		}
	}
	return words
}

// families are the families of kinds.
func families() (words []string) {
	for _, kind := range events.Kinds() {
		if !slices.Contains(words, kind.Family()) {
			words = append(words, kind.Family())
		}
	}
	return words
}
