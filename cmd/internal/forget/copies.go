package forget

import (
	"context"
	"fmt"

	"github.com/imalink/custody/cmd/internal/report"
	"github.com/imalink/custody/ledger"
	"github.com/imalink/custody/ledger/backup"
	"github.com/imalink/custody/ledger/backup/escrow"
)

// copiesOf says of each place that has a version of the root key, or rows that it
// opens, that it is still due.
func (o *Office) copiesOf(former uint64) []report.Copy {
	due := func(kind string, there bool) report.Copy {
		if !there {
			return report.Copy{Kind: kind, State: report.None}
		}
		return report.Copy{Kind: kind, State: report.Due, Former: former}
	}
	list := []report.Copy{due(report.Escrow, o.Ship.Escrow != ""), due(report.Backup, o.Ship.Backup != "")}
	if o.Device {
		list = append(list, due(report.Device, true))
	}
	return append(list, report.Copy{Kind: report.Other, State: report.Unknown, Former: former})
}

// copiesAfter looks how these places stand after keys were destroyed; just now, or
// at some time: what a device still has is found out by the change of keys alone.
// What cannot be read is due.
func (o *Office) copiesAfter(s *report.Shredding, justNow bool) []report.Copy {
	list := o.copiesOf(s.RootBefore)
	for i := range list {
		x := &list[i]
		switch {
		case x.State != report.Due:
		case x.Kind == report.Escrow:
			x.Root = o.escrowed()
		case x.Kind == report.Backup:
			x.Root = o.backedUp(s)
		case justNow:
			x.Root = s.RootAfter // else the change of keys had failed
		default:
			x.State = report.Unknown
		}
		if x.Root > 0 {
			x.Found = report.At(o.Now())
		}
		if x.Root > x.Former {
			x.State = report.Done
		}
	}
	return list
}

// escrowed is the version of the root key that is found in escrow, 0 if none is.
func (o *Office) escrowed() uint64 {
	of, version, err := escrow.Held(o.Ship.Escrow)
	if err != nil || of != o.Ledger.ID() {
		return 0
	}
	return version
}

// backedUp is the version of the root key since keys were destroyed, if the backup
// is found to be of a moment after that: then it has the rows and the table of that
// version; else 0.
func (o *Office) backedUp(s *report.Shredding) uint64 {
	r, err := backup.Read(o.Ship.Backup)
	if err != nil || r.State().ID != o.Ledger.ID() || r.State().Head(backup.Events).Last < s.Position {
		return 0
	}
	return s.RootAfter
}

// Backup brings the backup of Ship up to the ledger as it is. It waits for a change of keys, and a change of keys for
// it: that takes rows to the same backup. The error is the ledger's, or ctx's; then nothing was done.
func (o *Office) Backup(ctx context.Context, progress func(done, all uint64)) (ledger.BackupReport, error) {
	end, err := o.alone(ctx)
	if err != nil {
		return ledger.BackupReport{}, err
	}
	defer end()
	return o.Ledger.Backup(ctx, o.Ship.Backup, progress)
}

// alone waits until nobody else writes to the backup. What it gives ends that.
func (o *Office) alone(ctx context.Context) (end func(), err error) {
	select {
	case o.copying <- struct{}{}:
		return func() { <-o.copying }, nil
	case <-ctx.Done():
		return nil, fmt.Errorf("waiting for a backup to end: %w", ctx.Err())
	}
}

// backup brings the backup, if there is one, up to the ledger as it is.
func (o *Office) backup(ctx context.Context) error {
	if o.Ship.Backup == "" {
		return nil
	}
	_, err := o.Ledger.Backup(ctx, o.Ship.Backup, nil)
	return err
}

// before brings the backup up to date, as far as that is possible: what it does
// not do is done, or fails, with the change of keys itself.
func (o *Office) before(ctx context.Context) {
	if err := o.Before(ctx); err != nil {
		o.Log.Warn("the backup was not brought up to date before keys are destroyed", "error", err)
	}
}
