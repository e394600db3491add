package main

import (
	"regexp"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/rogpeppe/go-internal/testscript"
)

// natsURL D sets NATS_URL to where the server of D said, last, that it answers
// over NATS. With ! it must not have said so.
func natsURL(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, len(args) == 1, "natsurl D")
	said := regexp.MustCompile(`msg="answering over NATS" address=(\S+)`).FindAllStringSubmatch(ts.ReadFile(args[0]+".log"), -1)
	if (len(said) == 0) != neg {
		ts.Fatalf("it answers over NATS: %t", len(said) > 0)
	}
	if !neg {
		ts.Setenv("NATS_URL", "nats://"+said[len(said)-1][1])
	}
}

// nats STATUS PRODUCER TYPE FILE sends a file to NATS_URL as any client would,
// with the key PRODUCER.nk, and over TLS if SSL_CERT_FILE is set. The answer goes
// to answer.json. With ! there must be none.
func sendNATS(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, len(args) == 4, "nats STATUS PRODUCER TYPE FILE")
	status, producer, mediaType, file := args[0], args[1], args[2], args[3]
	answer, err := requestNATS(ts, producer, mediaType, ts.ReadFile(file))
	if neg {
		if err == nil {
			ts.Fatalf("answered: %s", answer.Data)
		}
		return
	}
	ts.Check(err)
	write(ts, "answer.json", answer.Data)
	got := answer.Header.Get("Nats-Service-Error-Code")
	if got == "" {
		got = "200"
	}
	if got != status {
		ts.Fatalf("answered %s, want %s:\n%s", got, status, answer.Data)
	}
}

func requestNATS(ts *testscript.TestScript, producer, mediaType, body string) (*nats.Msg, error) {
	key, err := nats.NkeyOptionFromSeed(ts.MkAbs(producer + ".nk"))
	ts.Check(err)
	opts := []nats.Option{key, nats.CustomInboxPrefix("_INBOX_" + producer), nats.NoReconnect(), nats.ErrorHandler(func(*nats.Conn, *nats.Subscription, error) {})}
	if ca := ts.Getenv("SSL_CERT_FILE"); ca != "" {
		opts = append(opts, nats.RootCAs(ca))
	}
	conn, err := nats.Connect(ts.Getenv("NATS_URL"), opts...)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	m := &nats.Msg{Subject: "custody.ingest." + producer, Header: nats.Header{"Content-Type": {mediaType}}, Data: []byte(body)}
	return conn.RequestMsg(m, 10*time.Second)
}
