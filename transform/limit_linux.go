package transform

import (
	"fmt"
	"os"
	"strings"
	"syscall"
)

// limitProcess lets this process map at most so many bytes more of memory that
// it can write to, whether it touches them or not. Go's runtime ends the process
// when it is refused memory. (RLIMIT_AS would not do: it also counts the address
// space that the runtime sets aside and does not use.)
func limitProcess(more int64) error {
	statm, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return err
	}
	var size, resident, shared, text, lib, data uint64 // pages, see proc_pid_statm(5)
	if _, err := fmt.Fscan(strings.NewReader(string(statm)), &size, &resident, &shared, &text, &lib, &data); err != nil {
		return err
	}
	limit := data*uint64(os.Getpagesize()) + uint64(more)
	return syscall.Setrlimit(syscall.RLIMIT_DATA, &syscall.Rlimit{Cur: limit, Max: limit})
}
