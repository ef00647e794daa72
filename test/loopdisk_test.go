package test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
	"unsafe"
)

// loopDisk is a real file system, ext4, on a disk that can lose power: a file behind a
// loop device. What the file holds is what the disk holds; what the kernel has not
// written to it yet is what a power cut takes.
type loopDisk struct {
	t     *testing.T
	dir   string
	file  string // the disk
	dev   string // its loop device; "": none
	mount string // where it is mounted
	up    bool   // it is
	cuts  int
}

// newLoopDisk makes and mounts a disk, or skips the test where that is not possible.
func newLoopDisk(t *testing.T) *loopDisk {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root, for loop devices and mounts")
	}
	for _, tool := range []string{"mkfs.ext4", "losetup", "mount", "umount", "cp"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("needs %s: %v", tool, err)
		}
	}
	base := os.TempDir()
	if info, err := os.Stat("/dev/shm"); err == nil && info.IsDir() {
		base = "/dev/shm"
	}
	dir, err := os.MkdirTemp(base, "posthaste-disk-")
	if err != nil {
		t.Skipf("no place for a disk: %v", err)
	}
	d := &loopDisk{t: t, dir: dir, file: filepath.Join(dir, "0.img"), mount: filepath.Join(dir, "mnt")}
	t.Cleanup(d.remove)
	if err := d.make(); err != nil {
		t.Skipf("no loop device, or no mount: %v", err)
	}
	return d
}

const loopDiskBytes = 384 << 20

func (d *loopDisk) make() error {
	f, err := os.Create(d.file)
	if err == nil {
		err = f.Truncate(loopDiskBytes)
		_ = f.Close()
	}
	if err == nil {
		err = os.Mkdir(d.mount, 0o755)
	}
	if err == nil { // nothing is left for the kernel to write later
		_, err = tool("mkfs.ext4", "-q", "-F", "-N", "4096", "-E", "lazy_itable_init=0,lazy_journal_init=0", d.file)
	}
	if err == nil {
		err = d.attach()
	}
	return err
}

func tool(name string, args ...string) (string, error) {
	out, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%s %s: %w: %s", name, strings.Join(args, " "), err, out)
	}
	return strings.TrimSpace(string(out)), nil
}

// attach mounts the file; ext4 replays its journal then, as after a power cut.
func (d *loopDisk) attach() (err error) {
	if d.dev, err = tool("losetup", "-f", "--show", d.file); err != nil {
		return err
	}
	_, err = tool("mount", "-t", "ext4", d.dev, d.mount)
	d.up = err == nil
	return err
}

// detach unmounts it. Who uses it must have ended.
func (d *loopDisk) detach() (err error) {
	if d.up {
		for range 100 { // a process that was killed may still be on its way out
			if _, err = tool("umount", d.mount); err == nil {
				break
			}
			time.Sleep(20 * time.Millisecond)
		}
		d.up = err != nil
	}
	if d.dev != "" && err == nil {
		_, err = tool("losetup", "-d", d.dev)
		d.dev = ""
	}
	return err
}

// remove leaves nothing behind.
func (d *loopDisk) remove() {
	if err := d.detach(); err != nil {
		d.t.Errorf("the disk is still there: %v", err)
		_, _ = tool("umount", "-l", d.mount)
		_, _ = tool("losetup", "-d", d.dev)
	}
	if err := os.RemoveAll(d.dir); err != nil {
		d.t.Error(err)
	}
}

// written is the device's count of writes that are complete, and of those in flight.
func (d *loopDisk) written() (complete, flying string) {
	d.t.Helper()
	text, err := os.ReadFile("/sys/block/" + filepath.Base(d.dev) + "/stat")
	fields := strings.Fields(string(text))
	if err != nil || len(fields) < 9 {
		d.t.Fatalf("the device's counters: %q, %v", text, err)
	}
	return fields[4], fields[8]
}

// copy copies the disk as it is, without what the kernel has not written yet, and
// returns the copy's name. Whoever writes must have been stopped: the copy is of one
// moment, between two writes of the device.
func (d *loopDisk) copy() string {
	d.t.Helper()
	d.cuts++
	name := filepath.Join(d.dir, fmt.Sprint(d.cuts, ".img"))
	for range 100 {
		before, flying := d.written()
		if _, err := tool("cp", "--sparse=always", d.file, name); err != nil {
			d.t.Fatal(err)
		}
		if after, _ := d.written(); flying == "0" && before == after {
			return name
		}
	}
	d.t.Fatal("the disk is written to all the time")
	return ""
}

// become mounts a copy in place of the disk.
func (d *loopDisk) become(copied string) {
	d.t.Helper()
	err := d.detach()
	if err == nil {
		err = os.Remove(d.file)
	}
	if d.file = copied; err == nil {
		err = d.attach()
	}
	if err != nil {
		d.t.Fatal(err)
	}
}

// remount mounts the disk again after a failure.
func (d *loopDisk) remount() {
	d.t.Helper()
	if err := d.detach(); err != nil {
		d.t.Fatal(err)
	}
	if err := d.attach(); err != nil {
		d.t.Fatal(err)
	}
}

// fail makes every operation on the file system fail with EIO from now on, and drops
// what was not written: ext4's own ioctl for such tests. It skips the test where the
// kernel has none.
func (d *loopDisk) fail() {
	d.t.Helper()
	const ext4Shutdown, withoutTheJournal = 0x8004587D, 2
	root, err := os.Open(d.mount)
	if err != nil {
		d.t.Fatal(err)
	}
	defer root.Close()
	how := uint32(withoutTheJournal)
	if _, _, errno := syscall.Syscall(syscall.SYS_IOCTL, root.Fd(), ext4Shutdown, uintptr(unsafe.Pointer(&how))); errno != 0 {
		d.t.Skipf("this kernel's ext4 cannot be made to fail: %v", errno)
	}
}
