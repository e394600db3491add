package api

import (
	"net/http"
	"strconv"
	"time"

	"github.com/imalink/custody/ledger"
	"github.com/imalink/custody/ledger/access"
	"github.com/imalink/custody/ledger/notary"
	"github.com/imalink/custody/projections"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// metrics is what /metrics shows. Labels are route patterns, status codes,
// types of refusals and names of registered producers: never anything that was
// sent, and never a person.
type metrics struct {
	registry   *prometheus.Registry
	recorded   *prometheus.CounterVec
	duplicates *prometheus.CounterVec
	refusals   *prometheus.CounterVec
	commit     prometheus.Histogram
	events     prometheus.Histogram
	busy       prometheus.Counter
	requests   *prometheus.HistogramVec
	handler    http.Handler
}

// otherProducer is the label of every producer that is not registered.
const otherProducer = "other"

func newMetrics(a *API) *metrics {
	durations := prometheus.ExponentialBuckets(0.0005, 2, 15) // 0.5 ms to 8 s
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
	}
	m := &metrics{
		registry:   prometheus.NewRegistry(),
		recorded:   counter("custody_events_recorded_total", "Events recorded.", "producer"),
		duplicates: counter("custody_events_duplicates_total", "Events that had been recorded before.", "producer"),
		refusals:   counter("custody_events_refusals_total", "Events refused.", "producer", "type"),
		commit: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "custody_commit_seconds", Help: "From handing events over until they were durable.", Buckets: durations}),
		events: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "custody_request_events", Help: "Events of a request.", Buckets: []float64{1, 10, 100, 1000, 5000}}),
		busy: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "custody_requests_busy_total", Help: "Requests refused because too many bytes of bodies were in hand."}),
		requests: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "custody_http_request_seconds", Help: "Requests by route and status.", Buckets: durations}, []string{"route", "status"}),
	}
	m.registry.MustRegister(m.recorded, m.duplicates, m.refusals, m.commit, m.events, m.busy, m.requests, ledgerMetrics{a}, viewMetrics{a}, evidenceMetrics{a},
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	m.handler = promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{MaxRequestsInFlight: 4})
	return m
}

// routeObserver observes the requests of one route. A series begins with the
// first request of its status.
type routeObserver struct {
	metrics *metrics
	pattern string
	ok      prometheus.Observer // status 200, by far the most frequent
}

func (m *metrics) route(pattern string) *routeObserver {
	return &routeObserver{m, pattern, m.requests.WithLabelValues(pattern, "200")}
}

// observe counts a request. A handler that sent no status has sent 200.
func (o *routeObserver) observe(status int, d time.Duration) {
	if status == 0 || status == http.StatusOK {
		o.ok.Observe(d.Seconds())
		return
	}
	o.metrics.requests.WithLabelValues(o.pattern, strconv.Itoa(status)).Observe(d.Seconds())
}

// label is how a producer is named in metrics.
func label(s *access.Store, source string) string {
	if len(source) > 1 && s.Registered(source[1:]) {
		return source[1:]
	}
	return otherProducer
}

// tally counts the results of one request, and tells the ledger what was refused
// before it came there.
type tally map[outcome]int64

// outcome is what happened to an event, by whose it was.
type outcome struct {
	producer string // a label
	status   string
	reason   string // of a refusal
}

func (m *metrics) count(t tally) {
	for o, n := range t {
		switch o.status {
		case string(ledger.Recorded):
			m.recorded.WithLabelValues(o.producer).Add(float64(n))
		case string(ledger.Duplicate):
			m.duplicates.WithLabelValues(o.producer).Add(float64(n))
		case string(ledger.Refused):
			m.refusals.WithLabelValues(o.producer, o.reason).Add(float64(n))
		}
	}
}

// ledgerMetrics shows the ledger's own state whenever metrics are asked for.
type ledgerMetrics struct{ api *API }

// Describe says nothing, which makes the collector an unchecked one: there is
// nothing to collect before a ledger is attached.
func (ledgerMetrics) Describe(chan<- *prometheus.Desc) {}

// Collect reads the state once.
func (c ledgerMetrics) Collect(out chan<- prometheus.Metric) {
	l := c.api.ledger()
	if l == nil {
		return
	}
	s := l.State()
	send := func(kind prometheus.ValueType, name, help string, value float64) {
		out <- prometheus.MustNewConstMetric(prometheus.NewDesc(name, help, nil, nil), kind, value)
	}
	gauge := func(name, help string, value float64) { send(prometheus.GaugeValue, name, help, value) }
	counter := func(name, help string, value float64) { send(prometheus.CounterValue, name, help, value) }
	gauge("custody_position", "Position of the last durable event.", float64(s.Head.Position))
	gauge("custody_halted", "1 if recording has stopped.", truth(s.Halted != nil))
	gauge("custody_waiting_requests", "Requests waiting for the sequencer.", float64(s.Waiting))
	gauge("custody_durable_mark_position", "Position that the durable mark beside the keys names.", float64(s.Marked))
	gauge("custody_index_failing", "1 if the identity index cannot be written.", truth(s.IndexFailing))
	counter("custody_groups_total", "Groups committed since the ledger was opened.", float64(s.Groups))
	counter("custody_group_events_total", "Events of these groups.", float64(s.Events))
	counter("custody_group_bytes_total", "Bytes of these groups, as stored.", float64(s.Bytes))
	gauge("custody_producers", "Registered producers.", float64(len(l.Access().Producers())))
}

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// viewMetrics shows how far the views are whenever metrics are asked for.
type viewMetrics struct{ api *API }

// Describe says nothing, as of ledgerMetrics.
func (viewMetrics) Describe(chan<- *prometheus.Desc) {}

// Collect reads the status of each view once.
func (c viewMetrics) Collect(out chan<- prometheus.Metric) {
	ready := c.api.answers.Load()
	if ready == nil {
		return
	}
	for _, v := range ready.views.Status() {
		gauge := func(name, help string, value float64) {
			out <- prometheus.MustNewConstMetric(prometheus.NewDesc(name, help, []string{"view"}, nil), prometheus.GaugeValue, value, v.Name)
		}
		gauge("custody_view_position", "Position up to which the view has every event.", float64(v.Position))
		gauge("custody_view_lag_events", "Events that the view has yet to take in.", float64(v.Lag))
		gauge("custody_view_serving", "1 if questions are answered from the view.", truth(v.State == projections.Live || v.State == projections.Rebuilding))
		gauge("custody_view_failing", "1 if something is wrong with the view; the list of views says what.", truth(v.Error != ""))
	}
}

// evidenceMetrics shows how far evidence has come whenever metrics are asked for.
type evidenceMetrics struct{ api *API }

// Describe says nothing, as of ledgerMetrics.
func (evidenceMetrics) Describe(chan<- *prometheus.Desc) {}

// Collect reads the status once. A ledger that keeps no evidence shows nothing of it.
func (c evidenceMetrics) Collect(out chan<- prometheus.Metric) {
	_, n, err := c.api.notary()
	if err != nil {
		return
	}
	s := n.Status()
	gauge := func(name, help string, value float64) {
		out <- prometheus.MustNewConstMetric(prometheus.NewDesc(name, help, nil, nil), prometheus.GaugeValue, value)
	}
	gauge("custody_evidence_records", "Records of the record log.", float64(s.Size))
	gauge("custody_evidence_committed", "Positions that the last commit covers.", float64(s.Committed))
	gauge("custody_evidence_signed", "Positions that the last checkpoint covers.", float64(s.Signed))
	gauge("custody_evidence_cosigned", "Positions that the last checkpoint covers which a witness and an auditor cosigned.", float64(s.Cosigned))
	gauge("custody_evidence_signing", "1 if checkpoints are signed.", truth(s.Unsigned == ""))
	gauge("custody_evidence_failing", "1 if something is wrong with the evidence; its status says what.", truth(s.Failing != ""))
	gauge("custody_evidence_unsigned_seconds", "Since the last checkpoint, or the start, if something is recorded that none covers.", c.unsigned(s).Seconds())
}

func (c evidenceMetrics) unsigned(s notary.Status) time.Duration {
	l := c.api.ledger()
	if l == nil || s.Signed >= l.Head().Position {
		return 0
	}
	since := s.SignedAt
	if since.Before(s.Opened) {
		since = s.Opened
	}
	return max(time.Since(since), 0)
}
