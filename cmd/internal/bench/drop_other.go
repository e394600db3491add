//go:build !linux

package main

import (
	"errors"
	"os"
)

// errStaysInMemory reports a system that cannot be told to forget a file.
var errStaysInMemory = errors.New("files stay in memory")

func dropFromMemory(*os.File) error { return errStaysInMemory }
