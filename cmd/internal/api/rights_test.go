package api

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/imalink/custody/ledger/access"
)

// TestRights goes through every route and every role. A right that is given or
// taken must be written here as well as in the table of package access.
func TestRights(t *testing.T) {
	const want = `
		                                          none producer relay dpo  investigator auditor operator subject
		POST   /v1/events                         401  ok       ok    403  403          403     403      403
		GET    /v1/events/stream                  401  403      403   ok   ok           ok      ok       403
		GET    /v1/status                         401  403      403   ok   ok           ok      ok       403
		GET    /v1/producers                      401  403      403   403  403          403     ok       403
		POST   /v1/producers                      401  403      403   403  403          403     ok       403
		DELETE /v1/producers/{name}               401  403      403   403  403          403     ok       403
		GET    /v1/tokens                         401  403      403   403  403          403     ok       403
		POST   /v1/tokens                         401  403      403   403  403          403     ok       403
		DELETE /v1/tokens/{id}                    401  403      403   403  403          403     ok       403
		GET    /metrics                           401  403      403   403  403          403     ok       403
		GET    /healthz                           ok   ok       ok    ok   ok           ok      ok       ok
		GET    /readyz                            ok   ok       ok    ok   ok           ok      ok       ok
		GET    /openapi.json                      ok   ok       ok    ok   ok           ok      ok       ok
		POST   /v1/persons/lookup                 401  403      403   asks asks         403     403      403
		GET    /v1/persons/{handle}/accesses      401  403      403   asks asks         403     403      asks
		GET    /v1/persons/{handle}/disclosures   401  403      403   asks asks         403     403      asks
		GET    /v1/persons/{handle}/timeline      401  403      403   asks asks         403     403      asks
		GET    /v1/persons/{handle}/reads         401  403      403   asks asks         403     403      asks
		GET    /v1/persons/{handle}/state         401  403      403   asks asks         403     403      asks
		GET    /v1/persons/{handle}/recipients    401  403      403   asks asks         403     403      asks
		POST   /v1/actors/lookup                  401  403      403   asks asks         403     403      403
		GET    /v1/actors/{handle}/accesses       401  403      403   asks asks         403     403      403
		GET    /v1/actors/{handle}/timeline       401  403      403   asks asks         403     403      403
		POST   /v1/sessions/lookup                401  403      403   asks asks         403     403      403
		GET    /v1/sessions/{handle}/events       401  403      403   asks asks         403     403      403
		GET    /v1/sessions/{handle}/summary      401  403      403   asks asks         403     403      403
		GET    /v1/events                         401  403      403   asks asks         403     403      403
		POST   /v1/events/search                  401  403      403   asks asks         403     403      403
		GET    /v1/events/facets                  401  403      403   asks asks         403     403      403
		GET    /v1/events/histogram               401  403      403   asks asks         403     403      403
		GET    /v1/events/find                    401  403      403   asks asks         403     403      403
		GET    /v1/events/{position}              401  403      403   asks asks         403     403      403
		GET    /v1/events/{position}/explain      401  403      403   asks asks         asks    403      403
		GET    /v1/parties                        401  403      403   asks asks         asks    403      403
		GET    /v1/parties/{code}                 401  403      403   asks asks         asks    403      403
		GET    /v1/transfers                      401  403      403   asks asks         asks    403      403
		GET    /v1/transfers/summary              401  403      403   asks asks         asks    403      403
		GET    /v1/transfers/map                  401  403      403   asks asks         asks    403      403
		GET    /v1/register                       401  403      403   asks asks         asks    403      403
		GET    /v1/coverage                       401  403      403   asks asks         asks    asks     403
		GET    /v1/views                          401  403      403   asks asks         asks    asks     403
		POST   /v1/views/{name}/rebuild           401  403      403   403  403          403     asks     403
		POST   /v1/erasures                       401  403      403   asks 403          403     403      403
		GET    /v1/erasures                       401  403      403   asks 403          403     403      403
		GET    /v1/erasures/{position}            401  403      403   asks 403          403     403      403
		GET    /v1/erasures/{position}/certificate 401 403      403   asks 403          403     403      403
		POST   /v1/erasures/{position}/shred      401  403      403   asks 403          403     403      403
		POST   /v1/erasures/{position}/cancel     401  403      403   asks 403          403     403      403
		GET    /v1/retention/{class}              401  403      403   asks 403          403     403      403
		POST   /v1/retention                      401  403      403   asks 403          403     403      403
		POST   /v1/reveals                        401  403      403   asks 403          403     403      403
		GET    /v1/approvals                      401  403      403   asks 403          403     403      403
		POST   /v1/approvals/{id}                 401  403      403   asks 403          403     403      403
		GET    /v1/backups                        401  403      403   403  403          403     404      403
		POST   /v1/backups                        401  403      403   403  403          403     404      403
		GET    /v1/checkpoint                     asks asks     asks  asks asks         asks    asks     asks
		GET    /v1/tile/{tile}                    asks asks     asks  asks asks         asks    asks     asks
		GET    /v1/tile/entries/{tile}            401  403      403   asks 403          asks    403      403
		GET    /v1/evidence                       401  403      403   asks asks         asks    asks     403
		GET    /v1/proofs/event                   401  403      403   asks 403          asks    403      403
		GET    /v1/proofs/inclusion               401  403      403   asks 403          asks    403      403
		POST   /v1/proofs/growth                  401  403      403   asks 403          asks    403      403
		GET    /v1/proofs/answer                  401  403      403   asks 403          asks    403      403
		GET    /v1/receipts                       401  asks     asks  asks 403          asks    403      403
		GET    /v1/receipts/{position}            401  asks     asks  asks 403          asks    403      403
		GET    /v1/statements/non-transfer        401  403      403   asks 403          asks    403      403
		POST   /v1/evidence/keys                  401  403      403   403  403          403     asks     403
		POST   /v1/evidence/cosigners             401  403      403   403  403          403     asks     403
		POST   /v1/cosignatures                   401  403      403   403  403          asks    403      403`
	bodies := map[string]string{
		"POST /v1/events":          event("/ats", "a"),
		"POST /v1/producers":       `{"name":"crm","families":["data"]}`,
		"POST /v1/tokens":          `{"role":"dpo","name":"a"}`,
		"POST /v1/persons/lookup":  `{"identifier":"candidate:1"}`,
		"POST /v1/actors/lookup":   `{"identifier":"employee:1"}`,
		"POST /v1/sessions/lookup": `{"session":"sess-1"}`,
		"POST /v1/events/search":   `{}`,

		"POST /v1/erasures":                   `{"identifier":"candidate:1","reason":"request"}`,
		"POST /v1/erasures/{position}/shred":  `{}`,
		"POST /v1/erasures/{position}/cancel": `{"reason":"withdrawn"}`,
		"POST /v1/retention":                  `{"class":"access","before":"2025-01"}`,
		"POST /v1/reveals":                    `{"position":1,"reason":"c"}`,

		"POST /v1/proofs/growth":      "a checkpoint",
		"POST /v1/cosignatures":       "a checkpoint",
		"POST /v1/evidence/keys":      `{"do":"add"}`,
		"POST /v1/evidence/cosigners": `{"key":"a key"}`,
	}
	queries := map[string]string{
		"GET /v1/events/find":             "id=a",
		"GET /v1/retention/{class}":       "before=2025-01",
		"GET /v1/proofs/event":            "position=1",
		"GET /v1/proofs/inclusion":        "position=1",
		"GET /v1/proofs/answer":           "what=count&flag=T5&from_day=2025-01-01&to_day=2025-01-31",
		"GET /v1/receipts":                "from=1&to=2",
		"GET /v1/statements/non-transfer": "from_day=2025-01-01&to_day=2025-01-31",
	}
	types := map[string]string{"POST /v1/events": structuredType, "POST /v1/proofs/growth": "text/plain", "POST /v1/cosignatures": "text/plain"}
	lines := strings.Split(strings.TrimSpace(want), "\n")
	roles := strings.Fields(lines[0])
	var routes []string
	unchanged := newRig(t) // by what is not allowed, or only asked
	for _, line := range lines[1:] {
		row := strings.Fields(line)
		route := row[0] + " " + row[1]
		routes = append(routes, route)
		for i, status := range row[2:] {
			r := unchanged
			if status == "ok" {
				r = newRig(t)
			}
			role := access.Role(roles[i])
			if role == "none" {
				role = ""
			}
			path := strings.NewReplacer("{name}", "ats", "{id}", r.tokenOf(access.RoleSubject), "{position}", "1", "{class}", "access", "{tile}", "0/000").Replace(row[1])
			if queries[route] != "" {
				path += "?" + queries[route]
			}
			contentType := "application/json"
			if types[route] != "" {
				contentType = types[route]
			}
			a := r.send(role, row[0], path, bodies[route], "Content-Type", contentType)
			if status == "asks" { // it may ask: only there are no views, and no evidence, yet
				if a.StatusCode != 503 || !strings.Contains(a.body, problemPrefix+"not-ready") {
					t.Errorf("%s by %s: %d: %s", route, roles[i], a.StatusCode, a.body)
				}
				continue
			}
			ok := a.StatusCode < 300
			if ok != (status == "ok") || !ok && fmt.Sprint(a.StatusCode) != status {
				t.Errorf("%s by %s: %d, want %s: %s", route, roles[i], a.StatusCode, status, a.body)
			}
			if a.StatusCode == 401 && a.Header.Get("WWW-Authenticate") == "" {
				t.Errorf("%s: 401 without WWW-Authenticate", route)
			}
		}
	}
	if documented := operations(t, newRig(t)); !slices.Equal(sorted(routes), sorted(documented)) {
		t.Errorf("the routes here are not those of the document:\n%v\n%v", sorted(routes), sorted(documented))
	}
}

// tokenOf returns the id of the token of a role.
func (r *rig) tokenOf(role access.Role) string {
	for _, tok := range r.ledger.store.Tokens() {
		if tok.Role == role {
			return tok.ID
		}
	}
	return ""
}

func sorted(list []string) []string { return slices.Sorted(slices.Values(list)) }

// operations returns the routes of the document.
func operations(t *testing.T, r *rig) []string {
	t.Helper()
	var doc struct {
		Paths map[string]map[string]json.RawMessage `json:"paths"`
	}
	if err := json.Unmarshal([]byte(r.send("", "GET", "/openapi.json", "").body), &doc); err != nil {
		t.Fatal(err)
	}
	var list []string
	for path, methods := range doc.Paths {
		for method := range methods {
			list = append(list, strings.ToUpper(method)+" "+path)
		}
	}
	return list
}

// TestBearer goes through ways to give a token that are not one.
func TestBearer(t *testing.T) {
	r := newRig(t)
	good := r.tokens[access.RoleDPO]
	for value, want := range map[string]int{
		"Bearer " + good: 200, "bearer " + good: 200, "BEARER " + good: 200,
		good: 401, "Basic " + good: 401, "Bearer": 401, "Bearer ": 401, "Bearer  " + good: 401, "Bearer " + good + " x": 401,
		"Bearer " + good[:len(good)-1]: 401, "Bearer " + strings.ToUpper(good): 401, "": 401,
	} {
		if a := r.send("", "GET", "/v1/status", "", "Authorization", value); a.StatusCode != want {
			t.Errorf("%d, want %d, for a header of %d bytes", a.StatusCode, want, len(value))
		}
	}
	a := r.send(access.RoleDPO, "GET", "/v1/status", "", "Authorization", "Bearer "+good)
	if a.StatusCode != 401 {
		t.Errorf("two Authorization headers: %d", a.StatusCode)
	}
	if a := r.send("", "GET", "/v1/status?token="+good, ""); a.StatusCode != 401 || strings.Contains(a.body, good) {
		t.Errorf("a token in the URL: %d %s", a.StatusCode, a.body)
	}
}

func TestRevokedAtOnce(t *testing.T) {
	r := newRig(t)
	if a := r.send(access.RoleOperator, "DELETE", "/v1/tokens/"+r.tokenOf(access.RoleRelay), ""); a.StatusCode != 204 {
		t.Fatalf("revoking: %d %s", a.StatusCode, a.body)
	}
	if a := r.post(structuredType, event("/ats", "a")); a.StatusCode != 401 || r.ledger.calls != 0 {
		t.Errorf("a revoked token: %d", a.StatusCode)
	}
	if a := r.send(access.RoleOperator, "DELETE", "/v1/producers/ats", ""); a.StatusCode != 204 {
		t.Fatal(a.body)
	}
	if a := r.send(access.RoleProducer, "POST", "/v1/events", event("/ats", "a"), "Content-Type", structuredType); a.StatusCode != 401 {
		t.Errorf("the token of a removed producer: %d", a.StatusCode)
	}
}

// TestUnknownParameters gives every route one that it does not have, and one
// that it has, twice.
func TestUnknownParameters(t *testing.T) {
	r := newRig(t)
	for _, op := range operations(t, r) {
		method, path, _ := strings.Cut(op, " ")
		path = strings.NewReplacer("{name}", "x", "{id}", "x", "{position}", "1", "{tile}", "0/000").Replace(path)
		role := access.RoleOperator
		for _, query := range []string{"secret-value=1", "dry_run=true&dry_run=true", "from=1&from=1", "cursor=a&cursor=b", "follow=true;to=1", "%zz"} {
			a := r.send(role, method, path+"?"+query, "", "Content-Type", structuredType)
			for _, other := range access.Roles() {
				if a.StatusCode == 403 {
					a = r.send(other, method, path+"?"+query, "", "Content-Type", structuredType)
				}
			}
			if a.StatusCode != 400 || !strings.Contains(a.body, problemPrefix+"invalid-request") || strings.Contains(a.body, "secret") {
				t.Errorf("%s?%s: %d %s", op, query, a.StatusCode, a.body)
			}
		}
	}
}

func TestNoSuchRoute(t *testing.T) {
	r := newRig(t)
	for target, want := range map[string]string{
		"GET /":                 "404 not-found",
		"GET /v1":               "404 not-found",
		"GET /v1/events/":       "404 not-found",
		"GET //v1/status":       "404 not-found",
		"GET /v1/../healthz":    "404 not-found",
		"POST /v1//events":      "404 not-found",
		"GET /v1/producers/a/b": "404 not-found",
		"GET /docs":             "404 not-found",
		"GET /schemas/Problem":  "404 not-found",
		"GET /openapi.yaml":     "404 not-found",
		"GET /v1/tile":          "404 not-found",
		"GET /v1/tile/":         "404 not-found",
		"GET /v1/tile/entries":  "404 not-found",
		"GET /v1/tile/entries/": "404 not-found",
		"POST /v1/tile/0/000":   "405 method-not-allowed",
		"DELETE /v1/events":     "405 method-not-allowed",
		"PUT /v1/events":        "405 method-not-allowed",
		"PATCH /v1/producers":   "405 method-not-allowed",
		"OPTIONS /v1/tokens/a":  "405 method-not-allowed",
		"TRACE /healthz":        "405 method-not-allowed",
	} {
		method, path, _ := strings.Cut(target, " ")
		a := r.send(access.RoleOperator, method, path, "")
		var p Problem
		strict(t, a.body, &p)
		if got := fmt.Sprint(a.StatusCode, " ", strings.TrimPrefix(p.Type, problemPrefix)); got != want {
			t.Errorf("%s: %s, want %s", target, got, want)
		}
		if (a.StatusCode == 405) != (a.Header.Get("Allow") != "") || a.Header.Get("X-Request-Id") == "" {
			t.Errorf("%s: headers %v", target, a.Header)
		}
	}
	if a := r.send(access.RoleOperator, "HEAD", "/v1/events/stream", ""); a.StatusCode != 200 || a.body != "" {
		t.Errorf("HEAD: %d and %d bytes", a.StatusCode, len(a.body))
	}
}

// TestMetricsAreLocal shows that they are open to this machine, and to it only.
func TestMetricsAreLocal(t *testing.T) {
	r := newRig(t)
	for _, tt := range []struct {
		remote, header, value string
		want                  int
	}{
		{"127.0.0.1:99", "", "", 200}, {"[::1]:99", "", "", 200}, {"192.0.2.1:99", "", "", 401}, {"", "", "", 401}, {"@", "", "", 401},
		{"127.0.0.1:99", "X-Forwarded-For", "192.0.2.1", 401}, {"127.0.0.1:99", "Forwarded", "for=192.0.2.1", 401},
	} {
		req, err := http.NewRequest("GET", "/metrics", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.RemoteAddr = tt.remote
		if tt.header != "" {
			req.Header.Set(tt.header, tt.value)
		}
		if a := r.do(req); a.StatusCode != tt.want {
			t.Errorf("from %q with %q: %d, want %d", tt.remote, tt.header, a.StatusCode, tt.want)
		}
	}
}

// TestUnregistrable shows that an operation that does not say who may use it
// stops the program from serving.
func TestUnregistrable(t *testing.T) {
	r := newRig(t)
	tab := &table{api: r.api, mux: http.NewServeMux()}
	op := operation(http.MethodGet, "/v1/secrets", "secrets", "Forgotten")
	tab.add(&op, r.api.healthz)
	if tab.err == nil {
		t.Error("an operation without a guard was registered")
	}
	tab.err = nil
	guarded := guard(op)
	tab.add(&guarded, r.api.healthz)
	if tab.err == nil {
		t.Error("an operation that nobody may use was registered")
	}
}
