package witness

import (
	"io"
	"log"
	"log/slog"
	"net/http"
	"time"

	"github.com/imalink/custody/ledger/evidence/checkpoint"
)

// addPath is where a witness is asked, below its prefix.
const addPath = "add-checkpoint"

// Handler answers add-checkpoint of c2sp.org/tlog-witness.
func (w *Witness) Handler(log *slog.Logger) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /"+addPath, func(rw http.ResponseWriter, r *http.Request) { w.answer(rw, r, log) })
	return mux
}

// answer answers one request. No answer or log line repeats what was sent.
func (w *Witness) answer(rw http.ResponseWriter, r *http.Request, log *slog.Logger) {
	body, err := io.ReadAll(http.MaxBytesReader(rw, r.Body, checkpoint.MaxRequest))
	if err != nil {
		http.Error(rw, "a request that did not arrive whole, or is too long", http.StatusBadRequest)
		return
	}
	request, err := checkpoint.ParseRequest(body)
	if err != nil {
		http.Error(rw, err.Error(), http.StatusBadRequest)
		return
	}
	a, err := w.Add(request)
	switch {
	case err != nil:
		log.Error("a checkpoint was not cosigned", "error", err)
		http.Error(rw, "its memory cannot be used", http.StatusInternalServerError)
		return
	case a.Proof != "":
		log.Error("the ledger signed two roots for one size", "size", request.Note.Size, "proof", a.Proof)
	case a.Err != nil:
		log.Info("refused", "status", a.Status, "reason", a.Err)
	default:
		log.Info("cosigned", "size", request.Note.Size)
	}
	reply(rw, a)
}

func reply(rw http.ResponseWriter, a Answer) {
	switch {
	case a.Err == nil:
		rw.Header().Set("Content-Type", "text/plain; charset=utf-8")
		_, _ = rw.Write(a.Signature.Line()) // the log is gone: it asks again
	case a.Status == http.StatusConflict && a.Proof == "":
		rw.Header().Set("Content-Type", checkpoint.SizeType)
		rw.WriteHeader(a.Status)
		_, _ = rw.Write(checkpoint.SizeText(a.Size)) // as above
	default:
		http.Error(rw, a.Err.Error(), a.Status)
	}
}

// Server is an HTTP server of a witness that waits for nobody for long.
func Server(h http.Handler) *http.Server {
	return &http.Server{
		Handler:           h,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       10 * time.Second,
		WriteTimeout:      20 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    16 << 10,
		ErrorLog:          log.New(io.Discard, "", 0), // it would name addresses of clients
	}
}
