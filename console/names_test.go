package console_test

import (
	"net/url"
	"strings"
	"testing"
)

// TestProjectIsCalledAsItIsNow: a name that was changed past the console is on the next
// page, for who signed in with the instance's key and with the project's.
func TestProjectIsCalledAsItIsNow(t *testing.T) {
	w := newWorld(t)
	project, key := w.project(nil)
	owner, in := w.operator(project, key)
	admin := w.reader()
	admin.want(admin.post("/login", url.Values{"key": {rootKey}}), 200)
	for _, name := range []string{"First name", "Another name"} {
		w.call(rootKey, "PUT", project, object{"name": name})
		for who, r := range map[string]*reader{"the project's key": owner, "the instance's key": admin} {
			bar, _, _ := strings.Cut(r.want(r.get(in+"/events"), 200).text, "<main")
			if !strings.Contains(bar, ">"+name+"</span> <") {
				t.Errorf("for %s the project is not called %s in %s", who, name, bar)
			}
		}
	}
}
