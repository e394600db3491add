// Command custody is the chain of custody for personal data: it keeps the
// ledger, serves it, and is every client of it. See custody help.
package main

import (
	"os"

	"github.com/imalink/custody/cmd/internal/cli"
)

func main() { os.Exit(run()) }

func run() int {
	return cli.Run(cli.Env{Args: os.Args[1:], Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr, Getenv: os.Getenv})
}
