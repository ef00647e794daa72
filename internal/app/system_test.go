package app

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"
)

// untold are the options that settings leaves out: what is secret, and what is no setting.
var untold = map[string]bool{
	"InstanceKey": true, "Pepper": true, "SecretKeys": true, "EgressProxyAuth": true, "ExtraCAs": true,
	"ReadSecretKeys": true, "TransformCommand": true, "Version": true, "Logger": true, "OnFatal": true,
}

// TestSettingsTellAllButSecrets: every option is told of, each under a name of its own,
// and no secret is.
func TestSettingsTellAllButSecrets(t *testing.T) {
	base := validOptions()
	before := fmt.Sprint(base.settings())
	fields := reflect.TypeFor[Options]()
	for i := range fields.NumField() {
		name, o := fields.Field(i).Name, base
		f := reflect.ValueOf(&o).Elem().Field(i)
		switch {
		case f.Type() == reflect.TypeFor[time.Duration]():
			f.SetInt(f.Int() + int64(17*time.Minute))
		case f.CanInt():
			f.SetInt(f.Int() + 17<<20)
		case f.Kind() == reflect.Bool:
			f.SetBool(!f.Bool())
		case f.Kind() == reflect.String:
			f.SetString("a-secret-text")
		case f.Kind() == reflect.Slice:
			f.Set(reflect.MakeSlice(f.Type(), 3, 3))
		default:
			if !untold[name] {
				t.Errorf("%s is of a kind that this test does not know", name)
			}
			continue
		}
		after := fmt.Sprint(o.settings())
		if changed := after != before; changed == untold[name] {
			t.Errorf("%s: told of is %v, want %v", name, changed, !untold[name])
		}
		if untold[name] && strings.Contains(after, "a-secret-text") {
			t.Errorf("%s shows", name)
		}
	}
	seen := map[string]bool{}
	for _, s := range base.settings() {
		if seen[s.Name] {
			t.Errorf("%s is there twice", s.Name)
		}
		seen[s.Name] = true
	}
}
