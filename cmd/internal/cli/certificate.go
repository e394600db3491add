package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	papers "github.com/imalink/custody/cmd/internal/report"
)

// certificateFiles is where a certificate is kept.
type certificateFiles struct{ json, pdf, lang string }

func (o *certificateFiles) flags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&o.json, "certificate", "", "write the certificate to this file, as JSON")
	f.StringVar(&o.pdf, "pdf", "", "write the certificate to this file, as PDF")
	f.StringVar(&o.lang, "lang", "en", "language of the PDF: en, nl or fr")
	cmd.RegisterFlagCompletionFunc("lang", one([]string{"en", "nl", "fr"}))
}

// check refuses, before anything is asked, a file that could not be written. out
// is that of --out, which gets the same names.
func (o *certificateFiles) check(out string) error {
	if !slices.Contains([]string{"en", "nl", "fr"}, o.lang) {
		return misuse("--lang is en, nl or fr")
	}
	for _, path := range []string{o.json, o.pdf, out} {
		if path == "" {
			continue
		}
		inside, err := insideLedger(path)
		switch {
		case err != nil:
			return fmt.Errorf("finding where the certificate goes: %w", err)
		case inside:
			return advise(misuse("a certificate names people: it is kept neither in a data directory nor beside keys"), "choose a file elsewhere")
		}
	}
	for _, path := range []string{o.json, o.pdf} {
		if _, err := os.Lstat(path); path != "" && err == nil {
			return misuse("a file for the certificate is there already: choose another")
		}
	}
	if o.json != "" && o.json == o.pdf {
		return misuse("--certificate and --pdf are two files")
	}
	return nil
}

// insideLedger reports whether a file would lie in a ledger's data or key
// directory, wherever links lead.
func insideLedger(path string) (bool, error) {
	dir, err := filepath.Abs(filepath.Dir(path))
	if err != nil {
		return false, err
	}
	if dir, err = filepath.EvalSymlinks(dir); err != nil {
		return false, err
	}
	for {
		for _, marks := range [][]string{{"ledger.json"}, {"root", "durable"}} {
			if !slices.ContainsFunc(marks, func(name string) bool { _, err := os.Lstat(filepath.Join(dir, name)); return err != nil }) {
				return true, nil
			}
		}
		up := filepath.Dir(dir)
		if up == dir {
			return false, nil
		}
		dir = up
	}
}

// certificate keeps and shows one that the server gave.
func (e *exchange) certificate(raw json.RawMessage, o certificateFiles) error {
	c, err := papers.Decode(bytes.NewReader(raw))
	if err != nil {
		return errForeign
	}
	saved := e.keep(c, o)
	if e.format != "table" && e.format != "csv" {
		return errors.Join(e.describe(raw), saved)
	}
	return errors.Join(e.certified(raw), saved)
}

// keep writes the files of a certificate. One that is there is never replaced.
func (e *exchange) keep(c *papers.Certificate, o certificateFiles) error {
	for _, file := range []struct {
		path  string
		write func(io.Writer) error
	}{
		{o.json, c.Encode},
		{o.pdf, func(w io.Writer) error { return c.PDF(w, papers.Lang(o.lang)) }},
	} {
		if file.path == "" {
			continue
		}
		f, err := os.OpenFile(file.path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
		if err != nil {
			return fmt.Errorf("keeping the certificate: %w", err)
		}
		if err := errors.Join(file.write(f), f.Sync(), f.Close()); err != nil {
			return fmt.Errorf("keeping the certificate: %w", errors.Join(err, os.Remove(file.path)))
		}
		e.note("the certificate is in %s", file.path)
	}
	return nil
}

// certified is what is shown of a certificate.
type certified struct {
	Kind    string `json:"kind"`
	Erasure *struct {
		Position uint64 `json:"position"`
		Reason   string `json:"reason"`
		Since    string `json:"restricted_since"`
		Due      string `json:"due"`
	} `json:"erasure"`
	Retention *struct {
		Class  string `json:"class"`
		Before string `json:"before"`
		Cells  uint64 `json:"cells"`
		Held   uint64 `json:"held"`
	} `json:"retention"`
	Shredding *struct {
		Position uint64 `json:"position"`
		Before   uint64 `json:"root_before"`
		After    uint64 `json:"root_after"`
		Rows     uint64 `json:"rows"`
	} `json:"shredding"`
	Identifiers *struct {
		Shown bool              `json:"shown"`
		Count uint64            `json:"count"`
		List  []json.RawMessage `json:"list"`
	} `json:"identifiers"`
	Cells      []json.RawMessage `json:"cells"`
	Holds      []json.RawMessage `json:"holds"`
	Kept       []json.RawMessage `json:"kept"`
	Recipients []json.RawMessage `json:"recipients"`
	Legs       []json.RawMessage `json:"legs"`
	Copies     []json.RawMessage `json:"copies"`
	Remains    struct {
		Events []json.RawMessage `json:"events"`
		Shared uint64            `json:"shared"`
		Crowd  uint64            `json:"crowd"`
	} `json:"remains"`
}

// state says in words what a certificate is of.
func (c *certified) state() string {
	switch c.Kind {
	case "dry-run":
		return "dry run: nothing was changed"
	case "restricted":
		return "open: the person is restricted, the keys are there"
	}
	return "done: the keys are destroyed"
}

func (c *certified) fields(e *exchange) []field {
	list := []field{{"state", c.state()}}
	add := func(name, text string) {
		if text != "" && text != "0" {
			list = append(list, field{name, text})
		}
	}
	if x := c.Erasure; x != nil {
		add("erasure", strconv.FormatUint(x.Position, 10))
		add("reason", x.Reason)
		add("restricted", shown(x.Since, e.zone))
		if c.Kind != "erased" {
			add("due", shown(x.Due, e.zone))
		}
	}
	if x := c.Retention; x != nil {
		add("class", x.Class)
		add("before", x.Before)
		add("cells", count(x.Cells))
		add("held", count(x.Held))
	}
	if x := c.Shredding; x != nil {
		add("recorded", fmt.Sprintf("at position %d", x.Position))
		add("root key", fmt.Sprintf("version %d destroyed, %d in force", x.Before, x.After))
		add("rows gone", count(x.Rows))
	}
	if x := c.Identifiers; x != nil && !x.Shown {
		add("identifiers", count(x.Count)+", not named in this copy")
	}
	add("shared events", count(c.Remains.Shared))
	add("crowded events", count(c.Remains.Crowd))
	return list
}

// certified shows a certificate, part by part; the parts with nothing in them are
// left out.
func (e *exchange) certified(raw json.RawMessage) error {
	var c certified
	if err := understand(raw, &c); err != nil {
		return err
	}
	if err := e.describe(nil, c.fields(e)...); err != nil {
		return err
	}
	if c.Identifiers != nil {
		if err := e.named(c.Identifiers.List); err != nil {
			return err
		}
	}
	for _, part := range []struct {
		title string
		sheet sheet
		rows  []json.RawMessage
	}{
		{"legal holds in force", sheet{{"hold", "hold", 24}, {"ground", "ground", 8}, {"dataset", "dataset", 20}, {"review due", "review", 10}, {"position", "position", 0}}, c.Holds},
		{"keys that go", sheet{{"class", "class", 12}, {"from", "from", 7}, {"to", "to", 7}, {"cells", "keys", 0}}, c.Cells},
		{"what stays", sheet{{"what", "what", 8}, {"class", "class", 12}, {"ground", "ground", 8}, {"events", "events", -9}, {"identifiers", "rows", 0}}, c.Kept},
		{"recipients to be told (Art. 19)", sheet{{"party", "party", 20}, {"events", "events", -9}, {"first", "first", 23}, {"last", "last", 23}, {"told", "state", 0}}, c.Recipients},
		{"legs", sheet{{"deletion", "deletion", 20}, {"kind", "kind", 10}, {"party", "party", 20}, {"state", "state", 6}, {"due", "due", 0}}, c.Legs},
		{"the ledger's own copies", sheet{{"copy", "kind", 8}, {"state", "state", 8}, {"former", "former", -7}, {"found", "root", -7}, {"looked at", "found", 0}}, c.Copies},
		{"events that remain, of nobody", sheet{{"class", "class", 12}, {"family", "family", 12}, {"events", "events", 0}}, c.Remains.Events},
	} {
		if len(part.rows) == 0 {
			continue
		}
		fmt.Fprintf(e, "\n%s\n", e.paint(bold, part.title))
		if err := e.rows(part.sheet, part.rows); err != nil {
			return err
		}
	}
	return nil
}

// named shows the identifiers of the one copy that has them.
func (e *exchange) named(list []json.RawMessage) error {
	if len(list) == 0 {
		return nil
	}
	fmt.Fprintf(e, "\n%s\n", e.paint(bold, "identifiers"))
	rows := e.listing(column{"identifier", 32}, column{"becomes", 16}, column{"acted in", -9}, column{"linked", 0})
	for _, raw := range list {
		var id struct {
			Identifier string `json:"identifier"`
			Acted      uint64 `json:"acted"`
			Stays      bool   `json:"stays"`
			Links      []struct {
				Position uint64 `json:"position"`
				By       string `json:"by"`
			} `json:"links"`
		}
		if err := understand(raw, &id); err != nil {
			return err
		}
		becomes := "goes"
		if id.Stays {
			becomes = "stays, in part"
		}
		links := make([]string, len(id.Links))
		for i, l := range id.Links {
			links[i] = strings.TrimSpace(fmt.Sprintf("at %d by %s", l.Position, l.By))
		}
		if err := rows.row(nil, id.Identifier, becomes, count(id.Acted), strings.Join(links, ", ")); err != nil {
			return err
		}
	}
	return nil
}
