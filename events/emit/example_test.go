package emit_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"time"

	"github.com/imalink/custody/events"
	"github.com/imalink/custody/events/emit"
	"github.com/imalink/custody/events/emit/eventstest"
)

// The five lines: a recruiter looked at a candidate's file.
func Example() {
	url, spool, token, done := exampleSite()
	defer done()

	ledger, err := emit.Open(emit.Config{Producer: "ats", Spool: spool, To: &emit.HTTP{URL: url, TokenFile: token}})
	if err != nil {
		panic(err)
	}
	defer ledger.Close()
	_, err = ledger.Emit(context.Background(), emit.Accessed{Mode: emit.ModeView, Processing: emit.Processing{Activity: "placement",
		Subjects: emit.Subjects(emit.RoleCandidate, "candidate:10412"), Actor: emit.Staff("employee:jdp", "recruiter")}})
	fmt.Println(err)
	// Output: <nil>
}

// What every act of one request has in common is said once.
func ExampleProcessing() {
	ledger := exampleEmitter()
	defer ledger.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()

	p := emit.Processing{
		Subjects:  emit.Subjects(emit.RoleCandidate, "candidate:10412"),
		Actor:     emit.Staff("employee:jdp", "recruiter"),
		Activity:  "placement",
		Reference: "vacancy:2291",
	}
	_, err := ledger.Emit(ctx, emit.Used{Processing: p, Automation: emit.AutomationNone}, emit.Correlation("place-2291"))
	if err != nil {
		fmt.Println(err)
	}
	_, err = ledger.Emit(ctx, emit.Shared{
		Processing: p,
		Recipient:  emit.Recipient{Party: "acme-bank", Role: emit.ToClient},
		Artefact:   emit.Artefact{Type: "house_cv", Template: "3"},
	}, emit.Correlation("place-2291"))
	if err != nil {
		fmt.Println(err)
	}
	fmt.Println(ledger.Stats().Recorded)
	// Output: 2
}

// An act that is not as it should be says where and what was expected, and repeats no value.
func ExampleEmitter_Emit_refused() {
	ledger := exampleEmitter()
	defer ledger.Close()
	_, err := ledger.Emit(context.Background(), emit.Contacted{
		Processing: emit.Processing{Subjects: emit.Subjects(emit.RoleCandidate, "candidate:10412"), Actor: emit.Service("service:mailer", "mailer"), Activity: "newsletter"},
		Channel:    "pigeon",
		Class:      emit.ContactMarketing,
	})
	var fault *events.Error
	if errors.As(err, &fault) {
		fmt.Println(fault.Path, fault.Type)
	}
	// Output: /data/channel not-in-vocabulary
}

// A kind that has no type of its own is said with its data as the catalogue has it.
func ExampleOther() {
	ledger := exampleEmitter()
	defer ledger.Close()
	_, err := ledger.Emit(context.Background(), emit.Other{Of: events.DataAltered, Data: []byte(`{
		"actor": {"id": "candidate:10412", "role": "candidate", "kind": "subject"},
		"subjects": [{"id": "candidate:10412", "role": "candidate"}],
		"activity": "placement", "trigger": "self_service"}`)})
	fmt.Println(err)
	// Output: <nil>
}

// Whoever may see the same message twice says which event it is.
func ExampleAs() {
	ledger := exampleEmitter()
	defer ledger.Close()
	consent := emit.ConsentGiven{
		About:    emit.About{Subjects: emit.Subjects(emit.RoleCandidate, "candidate:10412"), Actor: emit.Actor{ID: emit.ID("candidate:10412"), Role: "candidate", Kind: emit.ActorSubject}},
		Purposes: []string{"newsletter"}, Method: emit.ConsentElectronic,
	}
	for range 2 {
		receipt, err := ledger.Emit(context.Background(), consent, emit.As("consent-message-77", time.Date(2026, 3, 2, 9, 14, 5, 0, time.UTC)))
		fmt.Println(receipt.Position, err)
	}
	// Output:
	// 1 <nil>
	// 1 <nil>
}

// Pages that show a candidate are recorded before they are seen.
func ExampleAccessLog() {
	ledger := exampleEmitter()
	defer ledger.Close()
	log := emit.AccessLog{
		Emitter: ledger,
		Policy:  emit.FailClosed,
		Act: func(r *http.Request, status int) (emit.Act, error) {
			if status != http.StatusOK {
				return nil, nil // nothing was shown
			}
			return emit.Accessed{Mode: emit.ModeView, Processing: emit.Processing{
				Subjects: emit.Subjects(emit.RoleCandidate, "candidate:"+r.PathValue("id")),
				Actor:    emit.Staff("employee:jdp", "recruiter"), // whoever is logged in
				Activity: "placement",
			}}, nil
		},
	}
	page, err := log.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "a file") }))
	if err != nil {
		panic(err)
	}
	mux := http.NewServeMux()
	mux.Handle("GET /candidates/{id}", page)

	answer := httptest.NewRecorder()
	mux.ServeHTTP(answer, httptest.NewRequest("GET", "/candidates/10412", nil))
	fmt.Println(answer.Code, answer.Body, ledger.Stats().Recorded)
	// Output: 200 a file 1
}

// exampleEmitter emits to a ledger in memory.
func exampleEmitter() *emit.Emitter {
	e, err := emit.Open(emit.Config{Producer: "ats", To: eventstest.NewLedger(), Heartbeat: -1})
	if err != nil {
		panic(err)
	}
	return e
}

// exampleSite is a ledger behind HTTP, a folder for a spool, and a file with a token.
func exampleSite() (url, spool, token string, done func()) {
	l := &ledger{Recorder: &eventstest.Recorder{Ledger: eventstest.NewLedger()}}
	srv := httptest.NewServer(http.HandlerFunc(l.serve))
	dir, err := os.MkdirTemp("", "custody-example-")
	if err != nil {
		panic(err)
	}
	token = filepath.Join(dir, "token")
	if err := os.WriteFile(token, []byte("secret"), 0o600); err != nil {
		panic(err)
	}
	return srv.URL, filepath.Join(dir, "spool"), token, func() {
		srv.Close()
		os.RemoveAll(dir)
	}
}
