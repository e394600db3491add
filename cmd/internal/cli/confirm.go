package cli

import (
	"bufio"
	"errors"
	"fmt"
	"strings"
)

// errDeclined says that whoever was asked did not say yes.
var errDeclined = errors.New("not confirmed: nothing was done")

// confirm asks whoever is at the terminal whether to go on with what cannot be
// taken back. Where nobody is, a script has decided, and it asks nothing.
func (s *session) confirm(yes bool, what string) error {
	if yes || !terminal(s.Stdin) {
		return nil
	}
	fmt.Fprintf(s.Stderr, "%s\nThis cannot be taken back. Type yes to go on: ", oneLine(what))
	line, err := bufio.NewReader(s.Stdin).ReadString('\n')
	if strings.TrimSpace(line) != "yes" || err != nil {
		return errDeclined
	}
	return nil
}
