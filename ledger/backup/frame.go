package backup

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math"

	"github.com/imalink/custody/ledger/stream"
)

// A file of an archive is a header and frames:
//
//	 0  8  "CUSTODYB"
//	 8  1  format version, 1
//	 9 16  the ledger's id
//	25  1  part
//	26  4  number of the file within its part, from 1
//	30  8  sequence of its first message
//	38 32  chain before that message; zeros in the first file
//
// A frame, one a message, in order and without a gap:
//
//	 0  8  sequence
//	 8  2  s, length of the subject
//	10  4  d, length of the data, at most 16 MiB
//	14  s  subject
//	    d  data
//	   32  chain: SHA-256 of the chain before and all of the frame before this
const (
	magic         = "CUSTODYB"
	formatVersion = 1
	headerSize    = 8 + 1 + 16 + 1 + 4 + 8 + 32
	frameHead     = 8 + 2 + 4
	chainSize     = sha256.Size
	maxData       = 16 << 20 // above what a stream takes; a length beyond it is damage
)

// header gives the header of a file whose first message follows last.
func header(ledger Ledger, p Part, number uint32, last uint64, chain [32]byte) []byte {
	id, _ := hex.DecodeString(ledger.ID) // was checked
	b := append(make([]byte, 0, headerSize), magic...)
	b = append(b, formatVersion)
	b = append(b, id...)
	b = append(b, byte(p))
	b = binary.BigEndian.AppendUint32(b, number)
	b = binary.BigEndian.AppendUint64(b, last+1)
	return append(b, chain[:]...)
}

// appendFrame appends a message's frame to dst and returns its chain, too.
func appendFrame(dst []byte, chain [32]byte, m *stream.Message) ([]byte, [32]byte, error) {
	switch {
	case len(m.Header) > 0:
		return dst, chain, fmt.Errorf("message %d has headers, which an archive does not hold", m.Sequence)
	case len(m.Subject) > math.MaxUint16 || len(m.Data) > maxData:
		return dst, chain, fmt.Errorf("message %d is too long for an archive", m.Sequence)
	}
	start := len(dst)
	dst = binary.BigEndian.AppendUint64(dst, m.Sequence)
	dst = binary.BigEndian.AppendUint16(dst, uint16(len(m.Subject)))
	dst = binary.BigEndian.AppendUint32(dst, uint32(len(m.Data)))
	dst = append(dst, m.Subject...)
	dst = append(dst, m.Data...)
	chain = link(chain, dst[start:])
	return append(dst, chain[:]...), chain, nil
}

func link(chain [32]byte, frame []byte) (next [32]byte) {
	h := sha256.New()
	h.Write(chain[:])
	h.Write(frame)
	h.Sum(next[:0])
	return next
}

// errShort is what ends too soon.
var errShort = errors.New("cut short")

// readFrame reads the frame that follows sequence last and chain. It returns
// io.EOF where no frame begins. Data belongs to whoever receives it.
func readFrame(r io.Reader, last uint64, chain [32]byte) (m stream.Message, next [32]byte, err error) {
	var head [frameHead]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return m, chain, short(err)
	}
	m.Sequence = binary.BigEndian.Uint64(head[:])
	subject, data := int(binary.BigEndian.Uint16(head[8:])), int(binary.BigEndian.Uint32(head[10:]))
	switch {
	case m.Sequence != last+1:
		return m, chain, fmt.Errorf("sequence %d follows %d", m.Sequence, last)
	case data > maxData:
		return m, chain, fmt.Errorf("a message of %d bytes", data)
	}
	b := make([]byte, frameHead+subject+data+chainSize)
	copy(b, head[:])
	if _, err := io.ReadFull(r, b[frameHead:]); err != nil {
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return m, chain, short(err)
	}
	end := len(b) - chainSize
	if next = link(chain, b[:end]); next != [32]byte(b[end:]) {
		return m, chain, errors.New("its digest does not follow from what is before")
	}
	m.Subject, m.Data = string(b[frameHead:frameHead+subject]), b[frameHead+subject:end:end]
	return m, next, nil
}

func short(err error) error {
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return errShort
	}
	return err
}
