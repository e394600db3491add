package cli

import (
	"encoding/binary"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/imalink/custody/events"
	"github.com/imalink/custody/ledger/evidence"
	"github.com/imalink/custody/ledger/evidence/evidencetest"
)

const receiptEvent = `{"specversion":"1.0","id":"a-1","source":"/ats","type":"eu.custody.data.accessed.v1","time":"2026-03-02T09:14:05Z","data":{"actor":{"id":"employee:r01","role":"recruiter"},` +
	`"subjects":[{"id":"candidate:10412","role":"candidate"}],"system":"ats","dataset":"career_cv","categories":["career_cv"],"purpose":"service_provision","mode":"view"}}`

// receiptOf is the receipt of an event at position 1, with a purpose of its own.
func receiptOf(t *testing.T, purpose string) []byte {
	t.Helper()
	e, err := events.Decode([]byte(strings.Replace(receiptEvent, "service_provision", purpose, 1)))
	if err != nil {
		t.Fatal(err)
	}
	tagged := e.Rewrite(func(_ string, s events.Secrecy, _ events.Value) events.Value {
		return events.TextOf(fmt.Sprintf("%032x", s))
	})
	stored := (&events.Stored{Event: tagged, Recorded: e.At}).Append(nil)
	l := evidencetest.New(1)
	l.AddEvent(stored)
	proof, err := evidence.ProveEvent(l, l.Note(1, evidencetest.Log), 0, stored)
	if err != nil {
		t.Fatal(err)
	}
	return proof
}

// giving is a ledger that records one event and gives this receipt of it; none if it is nil.
func giving(t *testing.T, proof *[]byte) invocation {
	return serverOf(t, func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == "/v1/events":
			fmt.Fprint(w, `{"results":[{"line":1,"source":"/ats","id":"a-1","status":"recorded","position":1}]}`)
		case *proof == nil:
			w.Header().Set("Content-Type", "application/problem+json")
			w.WriteHeader(http.StatusServiceUnavailable)
			fmt.Fprint(w, `{"type":"urn:custody:problem:not-proven","status":503}`)
		case r.URL.Path == "/v1/checkpoint":
			l := evidencetest.New(1)
			record := evidence.Record{Kind: 1, Producer: 1}
			l.Add(record)
			w.Write(l.Note(1, evidencetest.Log).Bytes())
		default:
			w.Write(binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint64(nil, 1), uint32(len(*proof))))
			w.Write(*proof)
		}
	})
}

// TestEmitWithReceipts: what comes of emit when the receipt is of what was sent, of something else, or does not come.
func TestEmitWithReceipts(t *testing.T) {
	dir := t.TempDir()
	trust := filepath.Join(dir, "trust")
	if err := os.WriteFile(trust, evidencetest.TrustFile("100"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		proof  []byte
		status int
		says   string
	}{
		"good":  {receiptOf(t, "service_provision"), done, "1 receipt of what was sent kept"},
		"lying": {receiptOf(t, "marketing"), unsound, "/data/purpose"},
		"none":  {nil, failed, "the next emit with this folder collects the rest"},
		"noise": {[]byte("noise"), unsound, "false receipt"},
	} {
		t.Run(name, func(t *testing.T) {
			folder := filepath.Join(dir, name)
			i := giving(t, &test.proof)
			i.stdin = receiptEvent
			stdout, stderr := i.runs(t, test.status, "emit", "--receipts", folder, "--trust", trust, "--retry-for", "1s")
			if !strings.Contains(stdout, "1 event: 1 recorded") || !strings.Contains(stderr, test.says) || strings.Contains(stderr+stdout, "10412") {
				t.Errorf("%q %q", stdout, stderr)
			}
		})
	}
}

// TestReceiptsCheckFinds: a ledger whose checkpoint is of another history than a kept receipt.
func TestReceiptsCheckFinds(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "receipts")
	proof := receiptOf(t, "service_provision")
	i := giving(t, &proof)
	i.stdin = receiptEvent
	i.runs(t, done, "emit", "--receipts", folder)
	stdout, stderr := i.runs(t, unsound, "receipts", "check", folder)
	if !strings.Contains(stdout, "LEDGER            the ledger signed two histories") || !strings.Contains(stderr, "does not agree with its receipts") {
		t.Errorf("%q %q", stdout, stderr)
	}
	fraud := filepath.Join(folder, "disputed", "ledger.proof")
	stdout, _ = i.runs(t, 2, "verify", fraud) // whose keys it is under, no trust file says
	if !strings.Contains(stdout, "A FAULT OF THE LEDGER") {
		t.Errorf("the proof says %q", stdout)
	}
	proof = receiptOf(t, "marketing")
	stdout, _ = i.runs(t, unsound, "receipts", "check", folder, "-o", "json")
	if !strings.Contains(stdout, `"position": 1`) || !strings.Contains(stdout, "said something else of this position before") {
		t.Errorf("altered: %q", stdout)
	}
}
