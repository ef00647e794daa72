package report

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
)

// maxReportBytes bounds a report that is read.
const maxReportBytes = 64 << 20

// WriteJSON writes the report as one indented JSON object. A number that is not
// finite, which JSON cannot hold, is written as 0 and named in a note.
func (r *Report) WriteJSON(w io.Writer) error {
	finite, lost := copyFinite(reflect.ValueOf(*r), "")
	out := finite.Interface().(Report)
	for _, path := range lost {
		out.Notes = append(out.Notes, strings.TrimPrefix(path, ".")+" was not a finite number and is written as 0")
	}
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	return enc.Encode(out)
}

// ReadJSON reads what WriteJSON wrote. Names that it does not know are passed
// over; a file that is no report at all is an error.
func ReadJSON(from io.Reader) (*Report, error) {
	text, err := io.ReadAll(io.LimitReader(from, maxReportBytes+1))
	if err != nil {
		return nil, err
	}
	if len(text) > maxReportBytes {
		return nil, fmt.Errorf("longer than a report's %d bytes", maxReportBytes)
	}
	var r struct {
		Report
		Scenarios *[]Scenario `json:"scenarios"` // nil: not there
	}
	if err := json.Unmarshal(text, &r); err != nil {
		return nil, err
	}
	if r.Scenarios == nil {
		return nil, errors.New(`not a report: there is no "scenarios"`)
	}
	r.Report.Scenarios = *r.Scenarios
	return &r.Report, nil
}

// copyFinite copies exported plain data with 0 for each float that is not finite,
// and returns the paths of those.
func copyFinite(v reflect.Value, path string) (reflect.Value, []string) {
	out := reflect.New(v.Type()).Elem()
	out.Set(v)
	var lost []string
	set := func(to, from reflect.Value, name string) {
		c, more := copyFinite(from, path+name)
		to.Set(c)
		lost = append(lost, more...)
	}
	switch v.Kind() {
	case reflect.Float64:
		if !finite(v.Float()) {
			return reflect.Zero(v.Type()), []string{path}
		}
	case reflect.Slice:
		if v.IsNil() {
			break
		}
		out.Set(reflect.MakeSlice(v.Type(), v.Len(), v.Len()))
		for i := range v.Len() {
			set(out.Index(i), v.Index(i), fmt.Sprintf("[%d]", i))
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if f := v.Type().Field(i); f.IsExported() {
				set(out.Field(i), v.Field(i), "."+f.Name)
			}
		}
	}
	return out, lost
}
