package ingest

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/imalink/custody/cmd/internal/api"
	"github.com/imalink/custody/ledger/natsd"
)

// adminSubjects are what changes or reads a stream from outside, if anything
// does: the API of JetStream as nats-server 2.15.2 has it, in both of its
// spellings, that of the system account, and the streams' own subjects.
func adminSubjects() []string {
	var list []string
	streams := []string{"CUSTODY_YEAR", "CUSTODY_YEAR_VAULT", "CUSTODY_YEAR_ACCESS", "CUSTODY_year", "*"}
	for _, s := range streams {
		for _, verb := range []string{"UPDATE", "DELETE", "PURGE", "RESTORE", "SNAPSHOT", "MSG.DELETE", "MSG.GET", "PEER.REMOVE", "PEER.EVACUATE", "CANCEL_MOVE",
			"LEADER.STEPDOWN", "CREATE", "INFO"} {
			list = append(list, "$JS.API.STREAM."+verb+"."+s, "$JS.custody.API.STREAM."+verb+"."+s)
		}
		list = append(list, "$JS.API.DIRECT.GET."+s, "$JS.API.CONSUMER.CREATE."+s+".c", "$JS.API.CONSUMER.DURABLE.CREATE."+s+".c", "$JS.API.CONSUMER.DELETE."+s+".c",
			"$JS.API.CONSUMER.RESET."+s+".c", "$JS.API.CONSUMER.MSG.NEXT."+s+".c", "$JS.ACK."+s+".c.1.1.1.1.1", "$JS.FC."+s+".c.x", "$JS.SNAPSHOT.RESTORE."+s)
	}
	return append(list, "$JS.API.INFO", "$JS.API.STREAM.NAMES", "$JS.API.STREAM.LIST", "$JS.API.STREAM.TEMPLATE.CREATE.x", "$JS.API.ACCOUNT.PURGE.$G",
		"$JS.API.ACCOUNT.STREAM.MOVE.$G.CUSTODY_YEAR", "$JS.API.SERVER.REMOVE", "$JS.API.SERVER.EVACUATE", "$JS.API.META.RESCUE", "$JS.API.META.LEADER.STEPDOWN",
		"$SYS.REQ.SERVER.PING", "$SYS.REQ.SERVER.PING.JSZ", "$SYS.REQ.SERVER.RELOAD", "$SYS.REQ.ACCOUNT.$G.CONNZ", "$SYS.REQ.USER.INFO", "$SYS.REQ.CLAIMS.UPDATE", "$SYS.DEBUG.SUBSCRIBERS",
		"custody.year.ats.data.accessed", "custody.year.custody.ledger.committed", "vault.year.rows", "vault.year.table", "access.year.token-created", "access.year.producer-added",
		"$SRV.PING", "$SRV.INFO", "$SRV.STATS", "$SRV.PING.custody-ingest", "$KV.x.y", "$OBJ.x", "_GR_.x", "_R_.x", "_INBOX.x", "_INBOX_crm.x", "_INBOX_ats.x", "_INBOX_custody.x",
		"custody.ingest", "custody.ingest.>", "custody.ingest.*", "custody.ingest.crm.x", "custody.ingest.unregistered", "custody.ingest.custody", "custody.ingest.removed", ">", "*")
}

// adminHeaders are headers that mean something to a stream.
func adminHeaders() nats.Header {
	return nats.Header{"Content-Type": {structured}, "Nats-Rollup": {"all"}, "Nats-TTL": {"1s"}, "Nats-Msg-Id": {"x"}, "Nats-Stream-Source": {"CUSTODY_YEAR 1 > > x"},
		"Nats-Expected-Last-Sequence": {"0"}, "Nats-Expected-Stream": {"CUSTODY_YEAR"}, "Nats-Batch-Id": {"x"}, "Nats-Batch-Sequence": {"1"}, "Nats-Batch-Commit": {"1"},
		"Nats-Schedule": {"@every 1s"}, "Nats-Schedule-Target": {"custody.year.ats.data.accessed"}, "Nats-Incr": {"+1"}, "Nats-Marker-Reason": {"Purge"},
		"Custody-Durable": {"99"}, "Nats-Trace-Dest": {"_INBOX_crm.x"}, "Status": {"503"}}
}

// payloads are what the subjects might take.
func payloads() []string {
	return []string{"", `{"seq":1}`, `{"name":"CUSTODY_YEAR","subjects":[">"],"max_msgs":1,"storage":"file"}`, event("/crm", "forged")}
}

// TestAttack has each credential try everything: nothing gets through, nobody
// else is disturbed, and nothing is changed.
func TestAttack(t *testing.T) {
	r := newRig(t, api.Config{})
	r.put("removed")
	removed, _ := r.key("removed")
	goner := r.dialWith("removed", removed)
	r.must(r.ledger.Access().RemoveProducer(t.Context(), "", "removed"))
	revoked, made := r.key("crm")
	revokee := r.dialWith("crm", revoked)
	r.must(r.ledger.Access().RevokeToken(t.Context(), "", made.ID))
	valid, _ := r.key("ats")
	victim := r.dial("crm")
	inbox, err := victim.conn.SubscribeSync(Inbox("crm") + ".>")
	r.must(err)
	r.must(victim.conn.Flush())
	events, accesses := r.ledger.Head().Position, r.ledger.Access().Position()

	t.Run("refused at the door", func(t *testing.T) {
		unknown := writeSeed(t)
		fromSeed := func(file string) nats.Option {
			o, err := nats.NkeyOptionFromSeed(file)
			r.must(err)
			return o
		}
		token := r.token("ats")
		accesses++
		for name, o := range map[string][]nats.Option{
			"none": nil, "removed": {fromSeed(removed)}, "revoked": {fromSeed(revoked)}, "unknown": {fromSeed(unknown)},
			"a producer's name": {nats.UserInfo("ats", "")}, "our connection's name": {nats.UserInfo("custody", ""), nats.Name("custody")},
			"the system's": {nats.UserInfo("$SYS", "$SYS")}, "a token of HTTP": {nats.Token(token)}, "a token as password": {nats.UserInfo("ats", token)},
			"a key without its seed": {nats.Nkey(publicOf(t, r, "ats"), func([]byte) ([]byte, error) { return make([]byte, 64), nil })},
		} {
			if nc, err := nats.Connect(r.url(), append(o, quiet()...)...); err == nil {
				nc.Close()
				t.Errorf("%s: let in", name)
			}
		}
		for _, s := range []*Sender{goner, revokee} {
			if err := s.conn.FlushTimeout(patience); err == nil {
				t.Error("whoever was put out is still in")
			}
		}
	})
	for _, producer := range []string{"ats", "relay"} {
		t.Run("as "+producer, func(t *testing.T) {
			seed := valid
			if producer != "ats" {
				r.put(producer)
				accesses += 2
				seed, _ = r.key(producer)
			}
			s := r.dialWith(producer, seed)
			for _, subject := range adminSubjects() {
				for _, payload := range payloads() {
					for _, reply := range []string{Inbox(producer) + ".a", Inbox("crm") + ".a", Subject("crm"), ""} {
						r.must(s.conn.PublishMsg(&nats.Msg{Subject: subject, Reply: reply, Header: adminHeaders(), Data: []byte(payload)}))
					}
				}
			}
			for _, payload := range payloads() { // its own subject, with another's inbox to answer to
				r.must(s.conn.PublishMsg(&nats.Msg{Subject: Subject(producer), Reply: Inbox("crm") + ".a", Header: adminHeaders(), Data: []byte(payload)}))
			}
			s.send(t, 403, event("/crm", "forged")) // after all of this: in its own name it sends for itself only
			for _, subject := range append(adminSubjects(), Subject("crm"), Subject(producer), Inbox("crm")+".>", "_INBOX_*.>", "$JS.>", "$SYS.>") {
				sub, err := s.conn.SubscribeSync(subject)
				r.must(err)
				r.must(s.conn.Flush())
				_, err = sub.NextMsg(time.Millisecond)
				if own := strings.HasPrefix(subject, Inbox(producer)+"."); errors.Is(err, nats.ErrPermissionViolation) == own {
					t.Errorf("subscribing to %s: %v", subject, err)
				}
				_ = sub.Unsubscribe()
			}
			s.send(t, 403, event("/crm", "forged"))
			victim.send(t, 403, event("/ats", "forged"))
		})
	}
	t.Run("too large, too many", func(t *testing.T) {
		s := r.dialWith("ats", valid)
		s.send(t, 413, strings.Repeat(" ", natsd.DoorPayload-1000))
		large := &nats.Msg{Subject: Subject("ats"), Header: nats.Header{"Content-Type": {structured}, "X": {strings.Repeat("x", 1<<20)}}, Data: []byte("{}")}
		if _, err := s.conn.RequestMsg(large, patience); err != nil {
			t.Errorf("a large header: %v", err)
		}
		var all sync.WaitGroup
		for range 4 * natsd.DoorKeyConns {
			all.Go(func() {
				if nc, err := Dial(r.url(), "ats", valid, quiet()...); err == nil {
					for i := range 2 * natsd.DoorSubs {
						_, _ = nc.conn.SubscribeSync(fmt.Sprintf("%s.%d", Inbox("ats"), i))
					}
					_ = nc.conn.FlushTimeout(patience)
					nc.Close()
				}
			})
		}
		all.Wait()
	})
	answered := victim.send(t, http.StatusOK, event("/crm", "mine"))
	if n, _, err := inbox.Pending(); err != nil || n != 3 { // its own answers
		t.Errorf("crm hears %d messages, %v", n, err)
	}
	if p := r.ledger.Head().Position; p != events+1 || !strings.Contains(answered, "recorded") {
		t.Errorf("%d events are recorded: %s", p-events, answered)
	}
	if p := r.ledger.Access().Position(); p != accesses {
		t.Errorf("access is at %d, not %d", p, accesses)
	}
	if err := r.ledger.Halted(); err != nil {
		t.Error(err)
	}
}
