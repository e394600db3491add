package recordlog

import (
	"bufio"
	"errors"
	"io"
	"io/fs"
	"os"
	"slices"
)

// compared is a file that is read once, from its beginning on, for as long as it is what it should be.
type compared struct {
	file    *os.File // nil if there is none
	size    int64
	r       *bufio.Reader
	b       []byte
	at      int64 // as it should be up to here
	differs bool  // here
}

// open opens the file. One that is missing is empty.
func (c *compared) open(path string) error {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	c.file, c.r = f, bufio.NewReaderSize(f, 1<<16)
	info, err := f.Stat()
	if err == nil {
		c.size = info.Size()
	}
	return err
}

// compare holds what comes next against what should. The error is one of reading.
func (c *compared) compare(want []byte) error {
	if c.differs || len(want) == 0 {
		return nil
	}
	if c.file == nil {
		c.differs = true
		return nil
	}
	c.b = slices.Grow(c.b[:0], len(want))[:len(want)]
	n, err := io.ReadFull(c.r, c.b)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return err
	}
	same, whole := firstDifference(c.b[:n], want)
	c.at, c.differs = c.at+int64(same), !whole
	return nil
}
